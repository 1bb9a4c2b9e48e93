"""Starts the local stack: the AWS emulator, the deployed template, and a RunPod endpoint.

processes           child processes that end with their parent, however it ends
guardian            the program that ends them after a SIGKILL
loopback            servers on 127.0.0.1: ports, HTTP sessions, environments
needs               checks what must be installed
emulator            MiniStack, the AWS emulator
faults              a proxy that throttles the functions' AWS calls
fault_proxy         the script that it runs
simulator           the RunPod simulator as a process
model               the model server behind it
small_model_server  the script of the small model on this CPU
worker              the pull-mode worker, which takes the simulator's jobs
endpoint            simulator, model and worker as one RunPod endpoint
setup               the choices for a stack
build               the functions' artifacts, as `sam build` makes them
deploy              the template to the emulator's CloudFormation, as `sam deploy` does
stack               all of it together
"""
