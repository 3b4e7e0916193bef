"""The pages of sign-in, in a browser that runs nothing."""
