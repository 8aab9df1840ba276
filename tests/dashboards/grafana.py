"""A small stand-in for Grafana's HTTP API, for there is no Grafana server to install here.

It keeps folders, data sources and dashboards, and follows Grafana's API
documentation where a client can go wrong: 404 for what is not there, 401
without the token, secrets that are never given back, versions that an update
must name (412 "version-mismatch"), titles that must be unique in a folder (412
"name-exists"), and dashboards provisioned from files, which can't be changed
(400). It runs on a real socket.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]
TOKEN = "glsa_a-token-of-a-service-account"


class RefusedError(Exception):
    """An answer other than 200."""

    def __init__(self, code: int, message: str, status: str = "error") -> None:
        super().__init__(message)
        self.code = code
        self.body = {"message": message, "status": status}


class FakeGrafana:
    """What a Grafana holds, and the requests that changed it.

    Attributes:
        folders: by uid.
        sources: by uid, with their secrets.
        dashboards: by uid: the dashboard itself and its "folderUid".
        provisioned: uids of dashboards that come from files.
        writes: method and path of every request that was to change something.
    """

    def __init__(self) -> None:
        self.folders: dict[str, Json] = {}
        self.sources: dict[str, Json] = {}
        self.dashboards: dict[str, Json] = {}
        self.provisioned: set[str] = set()
        self.writes: list[tuple[str, str]] = []
        self._ids = 0

    def put(self, dashboard: Json, folder: str, *, provisioned: bool = False) -> None:
        """Place a dashboard as somebody else would."""
        self._ids += 1
        self.dashboards[dashboard["uid"]] = {
            "dashboard": dashboard | {"id": self._ids, "version": 1},
            "folderUid": folder,
        }
        if provisioned:
            self.provisioned.add(dashboard["uid"])

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Json) -> Any:
        if method != "GET":
            self.writes.append((method, path))
        match method, path.strip("/").split("/"):
            case "GET", ["folders", uid]:
                return self._held(self.folders, uid)
            case "POST", ["folders"]:
                return self._keep(self.folders, body["uid"], body)
            case "PUT", ["folders", uid]:
                self._check_version(self._held(self.folders, uid), body)
                return self._keep(self.folders, uid, body)
            case "GET", ["datasources", "uid", uid]:
                return self._without_secrets(self._held(self.sources, uid))
            case "POST", ["datasources"]:
                return self._keep(self.sources, body["uid"], body)
            case "PUT", ["datasources", "uid", uid]:
                self._held(self.sources, uid)
                return self._keep(self.sources, uid, body)
            case "GET", ["dashboards", "uid", uid]:
                return self._dashboard(uid)
            case "DELETE", ["dashboards", "uid", uid]:
                self._held(self.dashboards, uid)
                self._refuse_provisioned(uid)
                return {"title": self.dashboards.pop(uid)["dashboard"]["title"]}
            case "POST", ["dashboards", "db"]:
                return self._save(body)
            case "GET", ["search"]:
                return self._search(query)
        raise RefusedError(404, f"no such endpoint: {method} {path}")

    def _keep(self, things: dict[str, Json], uid: str, thing: Json) -> Json:
        self._ids += 1
        before = things.get(uid, {"id": self._ids, "version": 0})
        things[uid] = {**before, **thing, "uid": uid, "version": before["version"] + 1}
        return things[uid]

    @staticmethod
    def _held(things: dict[str, Json], uid: str) -> Json:
        if uid not in things:
            raise RefusedError(404, "not found")
        return things[uid]

    @staticmethod
    def _check_version(held: Json, sent: Json) -> None:
        if sent.get("version") != held["version"]:
            raise RefusedError(412, "changed by someone else", status="version-mismatch")

    @staticmethod
    def _without_secrets(source: Json) -> Json:
        secrets = source.get("secureJsonData", {})
        kept = {key: value for key, value in source.items() if key != "secureJsonData"}
        return {"readOnly": False, **kept, "secureJsonFields": dict.fromkeys(secrets, True)}

    def _dashboard(self, uid: str) -> Json:
        held = self._held(self.dashboards, uid)
        meta = {"folderUid": held["folderUid"], "provisioned": uid in self.provisioned}
        return {"dashboard": held["dashboard"], "meta": meta}

    def _refuse_provisioned(self, uid: str) -> None:
        if uid in self.provisioned:
            raise RefusedError(400, "Cannot save provisioned dashboard")

    def _save(self, body: Json) -> Json:
        sent, folder = body["dashboard"], body["folderUid"]
        uid = sent["uid"]
        self._held(self.folders, folder)
        self._refuse_provisioned(uid)
        for other, held in self.dashboards.items():
            if (other, held["folderUid"]) == (uid, folder) or held["folderUid"] != folder:
                continue
            if held["dashboard"]["title"] == sent["title"]:
                raise RefusedError(
                    412, "A dashboard with the same name exists", status="name-exists"
                )
        before = self.dashboards.get(uid)
        if before is not None and not body["overwrite"]:
            self._check_version(before["dashboard"], sent)
        if before is None:
            self._ids += 1
        identity = before["dashboard"] if before else {"id": self._ids, "version": 0}
        stored = sent | {"id": identity["id"], "version": identity["version"] + 1}
        self.dashboards[uid] = {"dashboard": stored, "folderUid": folder}
        return {"status": "success", "uid": uid, "version": stored["version"]}

    def _search(self, query: dict[str, list[str]]) -> list[Json]:
        limit, page = int(query["limit"][0]), int(query["page"][0])
        found = [
            {"uid": uid, "title": held["dashboard"]["title"], "type": "dash-db"}
            for uid, held in sorted(self.dashboards.items())
            if set(query.get("tag", [])) <= set(held["dashboard"].get("tags", []))
        ]
        return found[(page - 1) * limit : page * limit]


@contextmanager
def serving(grafana: FakeGrafana) -> Iterator[str]:
    """Serve a stand-in on a free port, and yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            address = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            try:
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    raise RefusedError(401, "Invalid API key")
                path = address.path.removeprefix("/api")
                found = grafana.answer(self.command, path, parse_qs(address.query), body)
                self._send(200, copy.deepcopy(found))
            except RefusedError as refused:
                self._send(refused.code, refused.body)

        do_GET = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815

        def _send(self, status: int, body: object) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
