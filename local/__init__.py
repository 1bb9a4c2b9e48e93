"""What runs on a developer's machine only: stand-ins for the services around the project. Never deployed."""
