"""Views: pure batched functions `(x, draws, *, parameters) -> x`, one idea a file; and masks over time."""
