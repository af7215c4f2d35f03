"""From a bundle's files to what people read. Reads conclusions, draws none."""
