"""`python -m worker`: what the container runs once the model is served."""

import os

from worker.handler import start

if __name__ == "__main__":
    start(os.environ)
