# SPDX-License-Identifier: Apache-2.0
"""What answers in the verifier's place, and a proxy that comes and goes: the
guest recovers or fails with a reason, and never hangs."""

from harness import servers, testing


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
        self.assert_failed(self.boot_against(servers.garbage))

    def test_closes_at_once(self):
        self.assert_failed(self.boot_against(servers.close))

    def test_closes_in_the_handshake(self):
        self.assert_failed(self.boot_against(servers.close_after_hello))

    def test_speaks_something_else(self):
        self.assert_failed(self.boot_against(servers.plain_http))

    def test_is_silent(self):
        self.assert_failed(self.boot_against(servers.silent))

    def test_nobody_listens(self):
        server = servers.Server(servers.close)
        server.close()
        self.site.start_proxy({"verifier": server.address})
        self.addCleanup(self.site.stop_proxy)
        self.assert_failed(self.boot("short"))

    def test_endpoint_is_not_in_the_proxys_configuration(self):
        self.site.start_proxy({"another": self.site.verifier.address})
        self.addCleanup(self.site.stop_proxy)
        self.assert_failed(self.boot("short"))


class ProxyTest(testing.EndToEnd):
    images = {"short": testing.SHORT}

    def start(self, image):
        boot = self.site.boot(self.site.images[image], self.site.disk)
        self.site.wiring.fresh_ram()
        self.site.start_emulator(boot.image)
        return self.site.start_machine(boot)

    def test_absent(self):
        self.site.stop_proxy()
        self.assert_failed(self.boot("short"), r"PC\d+")

    def test_comes_late(self):
        """The guest registers again until the proxy is there."""
        self.site.stop_proxy()
        qemu = self.start("vm1")
        qemu.wait_for("boot manifest: acpi")
        self.site.start_proxy()
        qemu.wait(120)
        self.assert_booted(qemu)

    def restarted_at(self, phase):
        qemu = self.start("vm1")
        qemu.wait_for(rf"^forelock: \[[^]]*\] {phase}")
        self.site.proxy.kill()
        self.site.proxy = None
        self.site.start_proxy()
        qemu.wait(180)
        if qemu.find(f"^guest: {testing.WELCOME}$"):
            return
        self.assert_failed(qemu)

    def test_killed_and_restarted_after_measuring(self):
        self.restarted_at("measured")

    def test_killed_and_restarted_after_connecting(self):
        self.restarted_at("connected")

    def test_killed_and_restarted_after_sending_evidence(self):
        self.restarted_at("attested")

    def test_killed_and_gone(self):
        qemu = self.start("short")
        qemu.wait_for(r"^forelock: \[[^]]*\] measured")
        self.site.proxy.kill()
        qemu.wait(120)
        if not qemu.find(f"^guest: {testing.WELCOME}$"):  # it may have been too late
            self.assert_failed(qemu)

    def test_sigterm_in_a_session(self):
        qemu = self.start("vm1")
        qemu.wait_for(r"^forelock: \[[^]]*\] connected")
        self.assertEqual(self.site.proxy.stop(), 0)
        self.site.proxy = None
        qemu.wait(180)
        if not qemu.find(f"^guest: {testing.WELCOME}$"):
            self.assert_failed(qemu)


if __name__ == "__main__":
    testing.main()
