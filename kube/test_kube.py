"""Tests of the parts that need no cluster."""

import tempfile
import unittest
from pathlib import Path

import guarded
import hardened
import image
import peer
import install
import pods


class Parts(unittest.TestCase):
    def test_a_slice_names_its_service_and_its_ports(self) -> None:
        made = pods.endpoint_slice("apps", "whoami", "10.0.0.1", {"http": 80})
        self.assertEqual(made["metadata"]["labels"], {"kubernetes.io/service-name": "whoami"})
        self.assertEqual(made["ports"], [{"name": "http", "port": 80}])

    def test_every_route_of_the_guarded_application_has_a_guard(self) -> None:
        routes = [one for one in guarded.namespace() if one["kind"] == "IngressRoute"]
        for route in routes[0]["spec"]["routes"]:
            self.assertTrue(route["middlewares"])

    def test_the_image_has_the_programs_that_the_tutorial_names(self) -> None:
        self.assertEqual(set(image._links()), {"hydra", "hail-hydra", "whoami", "traefik"})

    def test_a_filter_allows_the_calls_of_the_profile_and_ends_with_death(self) -> None:
        filtered = image.allowing(image.PROFILE)
        self.assertEqual(len(filtered) % 8, 0)
        self.assertEqual(filtered[-4:], image.KILL.to_bytes(4, "little"))
        self.assertIn("read", image.allowed(image.PROFILE))

    def test_the_objects_that_traefik_gets_are_golden_cases_too(self) -> None:
        for name, text in peer.golden().items():
            self.assertEqual((peer.GOLDEN / name).read_text(encoding="utf-8"), text, "run kube/peer.py")

    def test_a_file_that_others_wrote_is_filled_with_a_client_and_an_authority_that_are_there(self) -> None:
        text = "client_id: a-b\nca.crt: |\n    -----BEGIN\n    REPLACE\n---\nusername: u\n  password: p\nclaims: `a-b`\n"
        with tempfile.TemporaryDirectory() as folder:
            authority = Path(folder) / "ca.crt"
            authority.write_text("PEM\n", encoding="utf-8")
            filled = hardened._filled(text, {"client_id": "c"}, authority)
        self.assertEqual(filled, 'client_id: c\nca.crt: "PEM\\n"\n---\nusername: u\n  password: p\nclaims: `c`\n')
        self.assertEqual(hardened._password(text), "u:p")

    def test_a_program_that_is_no_kubectl_has_no_version(self) -> None:
        self.assertEqual(install._minor("true"), 0)

    def test_etcd_is_found_nowhere_in_an_empty_folder(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.assertIsNone(install._etcd_of(Path(folder)))


if __name__ == "__main__":
    unittest.main()
