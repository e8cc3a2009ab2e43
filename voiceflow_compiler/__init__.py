"""The compiler: a YAML call flow in, findings and a versioned artifact out."""
