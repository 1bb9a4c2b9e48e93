"""Never deployed: the RunPod simulator, the local stack with its demo, and the world in memory."""
