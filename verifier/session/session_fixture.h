// SPDX-License-Identifier: Apache-2.0
//
// SessionTest: a store with the demo's policy and secret, a stand-in for TLS,
// and one attestation as a call.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "proto/attest.h"
#include "verifier/endorsements/endorsements.h"
#include "verifier/evidence/chain_cache.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"
#include "verifier/session/audit_record.h"
#include "verifier/session/report_data.h"
#include "verifier/session/session.h"
#include "verifier/testing/evidence_maker.h"
#include "verifier/testing/guest_messages.h"
#include "verifier/testing/scratch_store.h"

namespace verifier {

inline constexpr int64_t kNowMs = 1'800'000'000'000;  // January 2027.

// Stands for a TLS session: its exporter is a hash of its name.
class FakeTls final : public KeyExporter {
 public:
  explicit FakeTls(std::string name) : name_(std::move(name)) {}
  bool Export(std::string_view label, base::Bytes context,
              base::MutableBytes out) override {
    const auto digest = ossl::Sha384()
                            .Update(ossl::AsBytes(name_))
                            .Update(ossl::AsBytes(label))
                            .Update(context)
                            .Finish();
    std::copy(digest.begin(), digest.end(), out.begin());
    return works;
  }
  bool works = true;

 private:
  std::string name_;
};

struct Received {
  proto::Outcome outcome = proto::Outcome::kTryLater;
  std::vector<std::string> secrets;
  uint64_t boot_counter = 0;
  std::vector<uint8_t> previous;
  std::string log;  // `audit show`
  size_t size = 0;
};

class SessionTest : public ::testing::Test {
 protected:
  SessionOptions Options() {
    SessionOptions options;
    options.allow_emulated = allow_emulated_;
    options.peer = "test";
    options.now_ms = [this] { return now_ms_; };
    options.endorsements = endorsements_;
    options.cache = &cache_;
    options.log = [this](std::string_view line) {
      lines_.push_back(std::string(line));
    };
    options.record_unproven = [this] { return record_unproven_; };
    return options;
  }

  Received Read(const Reply& reply) {
    Received out;
    proto::AttestArena arena;
    const auto verdict =
        proto::Decode<proto::AttestVerdict>(reply.bytes(), arena);
    EXPECT_TRUE(verdict.ok());
    if (!verdict.ok()) return out;
    out.outcome = verdict->outcome;
    out.size = reply.bytes().size();
    for (const auto& secret : verdict->secrets) {
      out.secrets.emplace_back(secret.value.begin(), secret.value.end());
    }
    out.boot_counter = verdict->boot_counter;
    out.previous.assign(verdict->previous_report_id.begin(),
                        verdict->previous_report_id.end());
    std::copy(verdict->decision_id.begin(), verdict->decision_id.end(),
              id_.begin());
    const auto entry = store_->FindAudit(id_);
    if (entry.ok()) out.log = ToText(*entry);
    return out;
  }

  std::array<uint8_t, kSessionBindingSize> Binding(base::Bytes challenge) {
    std::array<uint8_t, kSessionBindingSize> binding{};
    tls_.Export(kExporterLabel, testing::NonceOf(challenge), binding);
    return binding;
  }

  // One attestation; `change` alters the report before it is signed.
  Received Attest(
      const std::function<void(testing::ReportBytes&)>& change =
          [](testing::ReportBytes&) {},
      const std::vector<uint8_t>& manifest = testing::GoodManifest()) {
    Session session(*store_, tls_, Options());
    const auto request = testing::RequestFor(vm_, paths_);
    const Reply challenge = session.OnMessage(request);
    const auto report =
        testing::MakeReport(ReportData(Binding(challenge.bytes()), request,
                                       challenge.bytes(), manifest),
                            change);
    return Read(session.OnMessage(testing::EvidenceFor(
        report, testing::PackTable(certificates_), manifest)));
  }

  void ExpectLog(const Received& verdict, base::Reason reason) {
    EXPECT_NE(verdict.log.find(ReasonCode(reason) + " "), std::string::npos)
        << "want " << ReasonCode(reason) << " in\n"
        << verdict.log;
  }

  testing::ScratchStore store_;
  FakeTls tls_{"session 1"};
  bool allow_emulated_ = true;
  bool record_unproven_ = true;
  std::shared_ptr<const Endorsements> endorsements_;
  ChainCache cache_{16};
  int64_t now_ms_ = kNowMs;
  std::string vm_ = "demo/vm1";
  std::vector<std::string> paths_ = {std::string(testing::kSecretPath)};
  testing::Certificates certificates_ = testing::GoodCertificates();
  std::vector<std::string> lines_;
  DecisionId id_{};
};

}  // namespace verifier
