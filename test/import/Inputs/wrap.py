"""wrap.py FOLDER JSON: makes a text model's folder that of a multimodal one. JSON is the wrapper's configuration; its text_config
gets what it lacks from the folder's config.json, but for keys it names as null, which are left out. A vision tensor joins."""
import json
import os
import sys

folder, wrapper = sys.argv[1], json.loads(sys.argv[2])
path = os.path.join(folder, "config.json")
with open(path, encoding="utf-8") as file:
    text = json.load(file)
if "text_config" in wrapper:
    text |= wrapper["text_config"]
    wrapper["text_config"] = {key: value for key, value in text.items() if value is not None}
else:
    wrapper = text | wrapper
with open(path, "w", encoding="utf-8") as file:
    json.dump(wrapper, file)

path = os.path.join(folder, "model.safetensors")
with open(path, "rb") as file:
    data = file.read()
size = int.from_bytes(data[:8], "little")
header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
header["vision_tower.patch_embedding.weight"] = {"dtype": "F32", "shape": [2], "data_offsets": [len(body), len(body) + 8]}
header = json.dumps(header).encode()
with open(path, "wb") as file:
    file.write(len(header).to_bytes(8, "little") + header + body + bytes(8))
