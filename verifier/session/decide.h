// SPDX-License-Identifier: Apache-2.0
//
// Decide: from one request and its evidence to an outcome with every reason
// for it. Pure: reads the store, changes nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "proto/attest.h"
#include "verifier/endorsements/endorsements.h"
#include "verifier/evidence/chain_cache.h"
#include "verifier/ossl/ossl.h"
#include "verifier/session/audit_record.h"
#include "verifier/store/store.h"

namespace verifier {

struct Question {
  std::string vm;
  std::vector<std::string> paths;
  base::Bytes report;
  base::Bytes certificates;
  std::optional<proto::BootManifest> boot;  // Empty: it did not parse.
  ossl::Digest512 report_data{};
  int64_t now_ms = 0;
  bool allow_emulated = false;
  // As in EvidenceInput; either may be null.
  std::shared_ptr<const Endorsements> endorsements;
  ChainCache* cache = nullptr;
};

struct Decision {
  proto::Outcome outcome = proto::Outcome::kTryLater;
  bool emulated = false;
  // The report is of this session and signed under an accepted root; whatever
  // else may be wrong with it.
  bool genuine = false;  // Emulated evidence: only where that is allowed.
  AuditDetail detail;
  // Only with kGranted, all that were asked for and in that order.
  struct Secret {
    std::string path;
    SecretValue value;
  };
  std::vector<Secret> secrets;
  int64_t generation = 0;
  ReportId report_id{};
};

Decision Decide(const Question& question, Store& store);

}  // namespace verifier
