"""The pages: their routes and what each answers, one module for each area."""
