"""The torch modules that become graphs, sharing the original's weights."""
