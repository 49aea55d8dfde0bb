// SPDX-License-Identifier: Apache-2.0
//
// One case of a report with its certificates: what is good or wrong about it,
// made by changing a good one, before it is signed or after.
#pragma once

#include <stdint.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "sev/report.h"
#include "sev/wire_field.h"
#include "tests/corpus/world.h"

namespace corpus {

using psp::ReportBytes;

// Before signing.
struct Draft {
  const World& world;
  const Line& line;
  const ChipModel& model;
  ReportBytes report{};
  CertificateSpec leaf;
  EVP_PKEY* report_key = nullptr;  // Null: the report stays unsigned.
  Der intermediate, root, crl;     // As they are offered.
  time_t eval_time = kEvalTime;
  bool test_roots = true;  // False: judged by AMD's.

  template <typename Field, typename T>
  void Put(T value) {
    sev::PutLe<T, Field>(value, std::span<uint8_t, sev::kReportSize>(report));
  }
};

// After signing: files, each perhaps empty.
struct Evidence {
  Blob report, leaf, intermediate, root, crl;
};

struct ReportCase {
  std::string name;
  std::string reason;
  // Names of checks, separated by blanks. None: valid.
  std::string failing;
  std::function<void(Draft&)> before;
  std::function<void(Evidence&)> after;
  // An AMD profile is stricter here than X.509 and ECDSA are.
  bool profile = false;
  SignerKind signer = SignerKind::kVcek;
  uint32_t version = 3;
  enum class On : uint8_t { kAll, kTurin, kMilanGenoa, kMilan } on = On::kAll;
  // False: `checks` names only those that fail; what else does is not said.
  bool lists_passing = true;
  const char* kind = "report-synthetic";
  const char* verdict = nullptr;  // Null: by `failing`.
};

// Reports: fields, and the signature.
std::vector<ReportCase> BodyCases();
std::vector<ReportCase> SignatureCases();
// Certificates: leaves, chains and lists, parts that do not belong together.
std::vector<ReportCase> LeafCases();
std::vector<ReportCase> ChainCases();
std::vector<ReportCase> CombinationCases();

}  // namespace corpus
