"""same_count.py FOLDER MODEL OPTIONS…: an artifact says as many parameters as its model has, after the same options."""
import json
import subprocess
import sys

folder, *model = sys.argv[1:]


def inspect(*arguments):
    done = subprocess.run(["xfmr-inspect", *arguments, "--json"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["parameters"]["total"]


subprocess.run(["xfmr-compile", *model, "--target=vulkan", "-o", folder + "/m.xfm"], check=True)
expected, found = inspect(*model), inspect(folder + "/m.xfm")
if expected != found:
    sys.exit(f"the model has {expected} parameters, the artifact says {found}")
print("same count:", found)
