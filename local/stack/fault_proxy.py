"""microburst, run as a script with its own options, except that answers to HEAD keep their Content-Length.

microburst drops that header as hop-by-hop. In S3's answers to HEAD it is the object's size, and there is no
body to count.
"""

import sys

from microburst import cli, forward

if __name__ == "__main__":
    forward.HOP_BY_HOP -= {"content-length"}
    sys.exit(cli.main())
