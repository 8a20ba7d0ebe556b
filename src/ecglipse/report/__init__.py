"""What a study found: pictures of ECGs, curves and forests, tables, and one page that holds them all. No torch."""
