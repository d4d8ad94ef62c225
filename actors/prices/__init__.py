"""The price monitor: hears the sources, judges what they say, keeps every version."""
