"""Views: pure batched functions `(x, draws, *, strength) -> x`, one idea a file; and masks over time."""
