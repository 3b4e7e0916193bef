"""The authorization server: exchanges over real sockets, as an app and a browser make them."""
