"""Runs the container of a CronJob's manifest as the kubelet would: its command with its environment and nothing else of ours.

What the manifest mounts, and what the image holds, lies elsewhere here: --at says where, and paths in command and environment are
changed accordingly. Secrets are files: DIR/NAME/KEY.
"""

import argparse
import os
import sys

import yaml


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("manifest")
    parser.add_argument("--secrets", required=True, metavar="DIR")
    parser.add_argument("--at", action="append", default=[], metavar="PATH=HERE", help="what is PATH in the container is HERE")
    parser.add_argument("--instead", action="append", default=[], metavar="TEXT=OTHER", help="another text: a server's name")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="another value of a variable that is set")
    given = parser.parse_args()
    with open(given.manifest, encoding="utf-8") as text:
        pod = yaml.safe_load(text)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    volumes = {volume["name"] for volume in pod["volumes"]}
    places = [tuple(place.split("=", 1)) for place in given.at]
    for mount in container["volumeMounts"]:
        assert mount["name"] in volumes, f"{mount['name']} is mounted and is no volume"
        assert mount["mountPath"] == "/tmp" or any(at.startswith(mount["mountPath"]) for at, _ in places), mount

    def here(value):
        for at, other in places + [tuple(one.split("=", 1)) for one in given.instead]:
            value = value.replace(at, other)
        return value

    def value(variable):
        if "value" in variable:
            return here(variable["value"])
        secret = variable["valueFrom"]["secretKeyRef"]
        with open(os.path.join(given.secrets, secret["name"], secret["key"]), encoding="utf-8") as text:
            return text.read()

    environment = {variable["name"]: value(variable) for variable in container["env"]}
    for name, other in (one.split("=", 1) for one in given.set):
        assert name in environment, f"the manifest sets no {name}"
        environment[name] = other
    requests, limits = (container["resources"][kind] for kind in ("requests", "limits"))
    assert requests == limits and limits["cpu"].isdigit(), "no CPUs of its own: the pod is not Guaranteed, or its CPUs not whole"
    command = [here(word) for word in container["command"]]
    sys.stdout.flush()
    os.execve(command[0], command, {"PATH": os.environ["PATH"], **environment})


main()
