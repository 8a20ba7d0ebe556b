"""What a study found: pictures of ECGs, curves, forests and tables, and one page with them all. No torch."""
