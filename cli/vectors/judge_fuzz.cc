// SPDX-License-Identifier: Apache-2.0
//
// The first byte chooses the kind, the rest is its main file.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/vectors/judge.h"
#include "sev/id_block.h"
#include "tools/fuzz_seed.h"
#include "verifier/evidence/appraisal.h"

namespace {

constexpr std::pair<std::string_view, std::string_view> kKinds[] = {
    {"launch-measurement", "vector"},
    {"id-block", "id-block"},
    {"id-block", "id-auth-info"},
    {"cert-table", "table"},
    {"msg-report-rsp", "msg"},
    {"azure-hcl", "hcl"},
    {"report", "report"},
    {"leaf-cert", "leaf"},
    {"cert-chain", "intermediate"},
    {"crl", "crl"},
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto& [kind, role] = kKinds[data[0] % std::size(kKinds)];
  cli::VectorEntry entry;
  entry.kind = kind;
  cli::LoadedVector vector{.entry = entry};
  const auto block = sev::EncodeIdBlock({});
  vector.files["id-block"].assign(block.begin(), block.end());
  vector.files[std::string(role)].assign(data + 1, data + size);
  const cli::SignatureIndex signatures;
  const cli::Judgement judgement =
      cli::Judge(vector, {.signatures = &signatures});
  // No root is accepted: nothing that needs one may be valid.
  const bool needs_root = kind == "report" || kind == "leaf-cert" ||
                          kind == "cert-chain" || kind == "crl";
  if (needs_root && judgement.verdict == verifier::Verdict::kValid) {
    __builtin_trap();
  }
  if ((judgement.verdict == verifier::Verdict::kInvalid) ==
      judgement.failing_checks.empty()) {
    __builtin_trap();
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  constexpr std::string_view kPages =
      R"({"expected_launch_digest": "000000000000000000000000000000000000)"
      R"(000000000000000000000000000000000000000000000000000000000000", )"
      R"("page_info_updates": {"rows": [[3, "0x1000", "0000000000000000000)"
      R"(00000000000000000000000000000000000000000000000000000000000000000)"
      R"(000000000000"]]}})";
  std::string seed(1, static_cast<char>(index));
  if (index == 0) {
    seed += kPages;
  } else if (index == 1) {
    const auto block = sev::EncodeIdBlock({});
    seed.append(block.begin(), block.end());
  } else if (index == 2) {
    seed.append(sev::kIdAuthSize, '\0');
  } else if (index == 3) {
    seed.append(24, '\0');
  } else {
    return 0;
  }
  if (seed.size() > capacity) return 0;
  std::ranges::copy(seed, out);
  return seed.size();
}
