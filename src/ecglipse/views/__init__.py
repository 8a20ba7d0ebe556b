"""Views: pure batched functions `(x, generator, *, strength) -> x`, one idea a file; and masks over time."""
