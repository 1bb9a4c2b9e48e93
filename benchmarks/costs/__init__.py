"""What summaries cost, and what breaks first where there are more of them: from measured constants.

__main__     the tables and charts of docs/performance.md: `python -m benchmarks.costs`
work         what a job asks of the model, round by round, as the engine plans it
gpu          one card that reads and writes for many requests at once
fleet        workers that start, take requests from RunPod's queue and stop
measured     what was measured on a card: measured.toml
usage        what a job takes of AWS, counted over moto
dollars      dollars for 1,000 summaries, line by line, by prices.toml
bursts       what the API's throttle makes of answers that come together
deployments  which deployment for how many transcripts a day
limits       at how many transcripts a day each limit is reached: limits.toml
paper        the tables
kept         the tables as they were computed last: paper.json
charts       the pictures
"""

import os

os.environ.setdefault(
    "POWERTOOLS_METRICS_NAMESPACE", "Benchmark"
)  # read when functions are imported
