"""Several bridges between a telephone's media stream and a Realtime model, measured by the same load."""
