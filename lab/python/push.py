"""A back end that uses Scaledrone's own package for REST, once through: python3 push.py URL CHANNEL SECRET ROOM

Prints one JSON array per answer: the name of the method, and the status with what came.
"""
import json
import sys

from scaledrone import Scaledrone

url, channel, secret, room = sys.argv[1:]
back = Scaledrone(channel, secret, base_url=url)
CALLS = [
    ("publish", room, {"from": "a back end"}),
    ("publish", [room, "elsewhere"], {"to": "two"}),
    ("channel_stats",),
    ("members_list",),
    ("rooms_list",),
    ("room_members_list", room),
    ("all_room_members_list",),
]

for method, *words in CALLS:
    answer = getattr(back, method)(*words)
    print(json.dumps([method, [answer.status_code, answer.json()]]), flush=True)
