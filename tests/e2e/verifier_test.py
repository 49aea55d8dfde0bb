# SPDX-License-Identifier: Apache-2.0
"""What answers in the verifier's place, and a proxy that comes and goes: the
guest recovers or fails with a reason, and never hangs."""

from lab import servers, testing

# Whichever deadline is the first to pass.
GONE = "PC4|SM13"
# The host closed the stream, or the connection broke: the order of packets.
CLOSED = "BA6|PC20"


class VerifierTest(testing.EndToEnd):
    images = {"short": testing.SHORT}

    def boot_against(self, behave):
        server = servers.Server(behave)
        self.addCleanup(server.close)
        self.site.start_proxy({"verifier": server.address})
        self.addCleanup(self.site.stop_proxy)
        qemu = self.boot("short")
        self.assertGreater(server.connections, 0)
        return qemu

    def test_garbage(self):
        self.assert_failed(self.boot_against(servers.garbage), "CR10")

    def test_closes_at_once(self):
        self.assert_failed(self.boot_against(servers.close), CLOSED)

    def test_closes_in_the_handshake(self):
        self.assert_failed(self.boot_against(servers.close_after_hello), CLOSED)

    def test_speaks_something_else(self):
        self.assert_failed(self.boot_against(servers.plain_http), "CR10")

    def test_floods(self):
        self.assert_failed(self.boot_against(servers.flood), "CR17")

    def test_is_silent(self):
        self.assert_failed(self.boot_against(servers.silent), "SM13")

    def test_nobody_listens(self):
        server = servers.Server(servers.close)
        server.close()
        self.site.start_proxy({"verifier": server.address})
        self.addCleanup(self.site.stop_proxy)
        self.assert_failed(self.boot("short"), "PC8")

    def test_endpoint_is_not_in_the_proxys_configuration(self):
        self.site.start_proxy({"another": self.site.verifier.address})
        self.addCleanup(self.site.stop_proxy)
        self.assert_failed(self.boot("short"), "PC7")


class ProxyTest(testing.EndToEnd):
    images = {"short": testing.SHORT}

    def start(self, image):
        boot = self.site.boot(self.site.images[image], self.site.disk)
        self.site.wiring.fresh_ram()
        self.site.start_emulator(boot.image)
        return self.site.start_machine(boot)

    def test_absent(self):
        self.site.stop_proxy()
        self.assert_failed(self.boot("short"), "PC4")

    def test_comes_late(self):
        """The guest registers again until the proxy is there."""
        self.site.stop_proxy()
        qemu = self.start("vm1")
        qemu.wait_for("boot manifest: acpi")
        self.site.start_proxy()
        qemu.wait(120)
        self.assert_booted(qemu)

    def held_at(self, image, phase, turns):
        """A guest that is in `phase` and cannot leave it before the relay lets
        the verifier's next answer through."""
        relay = servers.Relay(self.site.verifier.address, turns)
        self.addCleanup(relay.close)
        self.addCleanup(self.site.stop_proxy)
        self.addCleanup(relay.release)
        self.endpoints = {"verifier": relay.address}
        self.site.start_proxy(self.endpoints)
        qemu = self.start(image)
        qemu.wait_for(rf"^forelock: \[[^]]*\] {phase}")
        relay.wait_held()
        return qemu, relay

    def restarted_at(self, phase, turns):
        qemu, relay = self.held_at("vm1", phase, turns)
        self.site.proxy.kill()
        relay.release()
        self.site.start_proxy(self.endpoints)
        qemu.wait(180)
        self.assert_booted(qemu)

    def test_killed_and_restarted_after_measuring(self):
        self.restarted_at("measured", 0)

    def test_killed_and_restarted_after_connecting(self):
        self.restarted_at("connected", 1)

    def test_killed_and_restarted_after_sending_evidence(self):
        self.restarted_at("attested", 2)

    def test_killed_and_gone(self):
        qemu, _ = self.held_at("short", "attested", 2)
        self.site.proxy.kill()
        qemu.wait(120)
        self.assert_failed(qemu, GONE)

    def test_sigterm_in_a_session(self):
        qemu, _ = self.held_at("short", "attested", 2)
        self.assertEqual(self.site.proxy.stop(), 0)
        qemu.wait(180)
        self.assert_failed(qemu, GONE)


if __name__ == "__main__":
    testing.main()
