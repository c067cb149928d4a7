"""What a person takes away: weights, architecture, ONNX, model card."""
