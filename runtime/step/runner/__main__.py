# The entry of the archive: python3 -u ARCHIVE REQUEST.json
import sys

from _pipec_runner.main import main

sys.exit(main(sys.argv[1]))
