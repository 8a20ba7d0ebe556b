"""What an encoder is worth with few labels: cached features, probes, fine-tuning."""
