"""Where things live on disk: files written whole or not at all, the usage lake, what the package ships."""
