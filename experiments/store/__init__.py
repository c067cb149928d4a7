"""Studies in a database: ``experiments.store.store`` holds the API; it is imported late, since SQLAlchemy is slow."""
