"""How the classroom computes: results kept on disk, and work shared between processes."""
