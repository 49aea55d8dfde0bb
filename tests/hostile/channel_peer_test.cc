// SPDX-License-Identifier: Apache-2.0
//
// The guest's own attestation code, run on the host, against the owner that the
// hostile hypervisor's tests use: whatever fails there is not this side's
// doing.
#include "tests/hostile/channel_peer.h"

#include <stdint.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "attest/boot_manifest.h"
#include "attest/secret_set.h"
#include "base/bytes.h"
#include "base/reasons.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/testing/fixed_entropy.h"
#include "crypto/tls_client.h"
#include "gtest/gtest.h"
#include "proto/attest.h"
#include "proxy/client.h"
#include "proxy/guest_transport.h"
#include "proxy/host/ram_file.h"
#include "proxy/page_layout.h"
#include "proxy/shared_range.h"
#include "proxy/testing/loopback_machine.h"
#include "psp/firmware.h"
#include "psp/testing.h"
#include "svsm/attestation/attestation.h"
#include "svsm/attestation/guest_evidence.h"
#include "svsm/platform/guest_request/guest_request.h"
#include "tests/hostile/owner.h"
#include "tests/hostile/seeded_random.h"
#include "verifier/ossl/ossl.h"
#include "verifier/session/report_data.h"
#include "verifier/testing/evidence_maker.h"

namespace hostile {
namespace {

using psp::Firmware;
using psp::TestHierarchy;
using verifier::ossl::FromHex;

class Processor final : public svsm::GuestRequestDoorbell {
 public:
  explicit Processor(Firmware& firmware) : firmware_(firmware) {}
  base::Result<uint64_t> Exchange(sev::ConstMessagePage request,
                                  sev::MessagePage response,
                                  base::Instant) override {
    const Firmware::Reply reply = firmware_.Request(request);
    std::copy(reply.page.begin(), reply.page.end(), response.begin());
    return reply.exit_info_2;
  }

 private:
  Firmware& firmware_;
};

class Silent final : public svsm::AttestationObserver {
  void OnChannel() override {}
  void OnConnected() override {}
  void OnAttested() override {}
  void OnRetry(const svsm::AttemptResult&) override {}
};

class ChannelPeerTest : public ::testing::Test {
 protected:
  static constexpr uint8_t kMeasurement = 0x4D;

  ChannelPeerTest() {
    firmware_.Launch([] {
      sev::LaunchDigest digest;
      digest.fill(kMeasurement);
      return digest;
    }());
    manifest_.resize(proto::kMaxBootManifest);
    manifest_.resize(*attest::Serialise(attest::BootManifest(), manifest_));
    machine_.host_turn = [this] {
      while (!machine_.port().empty()) {
        peer_.OnPortByte(machine_.port().front());
        machine_.port().pop_front();
      }
      peer_.Turn();
    };
  }

  verifier::testing::PolicyDigests Digests(uint8_t measurement) {
    verifier::testing::PolicyDigests digests;
    digests.measurement.fill(measurement);
    return digests;
  }

  base::Status Run() {
    auto page = firmware_.SecretsPage();
    driver_.emplace(*sev::TakeVmpck0(page), processor_, machine_,
                    base::Milliseconds{5000});
    evidence_.emplace(*driver_, nullptr, client_, machine_,
                      base::Milliseconds{5000});
    attestation_ = std::make_unique<svsm::Attestation>(
        client_, *evidence_, rng_, machine_, observer_);
    crypto::Pin pin{};
    EXPECT_TRUE(FromHex(owner_.Pin().substr(7), pin));
    return attestation_->Run({.vm = base::AsBytes(kVm),
                              .endpoint = base::AsBytes("verifier"),
                              .pins = {&pin, 1},
                              .secrets = wanted_,
                              .boot_manifest = manifest_,
                              .proxy_timeout = base::Milliseconds{20'000},
                              .verifier_timeout = base::Milliseconds{30'000}});
  }

  Owner owner_;
  crypto::testing::SeededRng rng_;
  std::vector<uint8_t> manifest_;
  const attest::WantedSecret wanted_[1] = {
      {base::AsBytes(kSecretName), attest::SecretKind::kLuks2, 64}};
  Firmware firmware_{TestHierarchy()};
  Processor processor_{firmware_};
  proxy::testing::LoopbackMachine machine_;
  ChannelPeer peer_{owner_, [this](const proxy::Registration&) {
                      return proxy::host::MappedRange::Borrow(machine_.range());
                    }};
  proxy::GuestPageTransport transport_{machine_.range(), machine_,
                                       proxy::kProxyReadBack, machine_};
  proxy::Client client_{transport_, machine_};
  Silent observer_;
  std::optional<svsm::GuestRequestDriver> driver_;
  std::optional<svsm::GuestEvidence> evidence_;
  std::unique_ptr<svsm::Attestation> attestation_;
};

TEST_F(ChannelPeerTest, GrantsTheSecret) {
  owner_.SetPolicy(Digests(kMeasurement));
  const base::Status status = Run();
  ASSERT_TRUE(status.ok()) << base::NameOf(status.reason()).text << "\n"
                           << peer_.Log();
  EXPECT_EQ(peer_.outcome(), proto::Outcome::kGranted) << peer_.Log();
  ASSERT_EQ(attestation_->session().secrets().size(), 1u);
  EXPECT_TRUE(
      base::Equal(attestation_->session().secrets().at(0).value.RevealSecret(),
                  owner_.secret()));
  EXPECT_GE(owner_.tls_secrets().size(), 4u);
  EXPECT_EQ(owner_.tls_secrets()[0].size(), 48u);
}

TEST_F(ChannelPeerTest, RefusesAnotherImage) {
  owner_.SetPolicy(Digests(kMeasurement + 1));
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(peer_.outcome(), proto::Outcome::kNotAuthorised) << peer_.Log();
  EXPECT_EQ(attestation_->session().secrets().size(), 0u);
}

TEST_F(ChannelPeerTest, AConnectionThatIsDroppedIsTriedAgain) {
  owner_.SetPolicy(Digests(kMeasurement));
  peer_.drop_evidence = 1;
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(peer_.outcome(), proto::Outcome::kGranted) << peer_.Log();
  EXPECT_EQ(peer_.connections(), 2);
}

TEST(SeededRandomTest, OpensslRepeatsItself) {
  std::array<uint8_t, 24> first, second;
  SeedOpenssl(7);
  verifier::ossl::RandomBytes(first);
  SeedOpenssl(7);
  verifier::ossl::RandomBytes(second);
  EXPECT_EQ(first, second);
  SeedOpenssl(8);
  verifier::ossl::RandomBytes(second);
  EXPECT_NE(first, second);
}

}  // namespace
}  // namespace hostile
