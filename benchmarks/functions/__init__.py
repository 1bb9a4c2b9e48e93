"""The functions as Lambda runs them: built artifacts, each in a process of its own, over canned answers.

recording  what a job asks of AWS, and what it is answered, taken down once over moto
stand_in   a server in a process of its own that answers like that again
artifacts  what `sam build` makes, and the packages that Lambda's runtime has
fresh      what runs in the function's process; imports nothing of the project
processes  starts such a process and reads what it tells of itself
"""

import os

# Powertools reads its variables when the functions' modules are first imported.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Benchmarks")
