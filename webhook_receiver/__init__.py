"""Takes RunPod's callbacks: app is the Lambda handler, callbacks reads and checks what came in."""
