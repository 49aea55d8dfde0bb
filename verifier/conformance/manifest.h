// SPDX-License-Identifier: Apache-2.0
//
// manifest.json of a folder of evidence vectors. An entry's inputs and what is
// expected of it are two types, and only the first is given to what judges.
// The schema as it is read here is in verifier/conformance/README.md.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "verifier/ossl/ossl.h"

namespace verifier::conformance {

inline constexpr size_t kMaxManifestSize = 16 << 20;
inline constexpr size_t kMaxVectors = 20000;
inline constexpr size_t kMaxVectorFiles = 16;

struct VectorFile {
  std::string role;  // "report", "leaf"; one file a role.
  std::string path;  // Below the folder: relative, no "..".
  ossl::Digest256 sha256{};
};

// What an ID block should hold, where the manifest says so.
struct IdBlockClaims {
  std::string launch_digest, family_id, image_id;  // hex; empty: not said
  std::string id_key_digest, author_key_digest;    // hex; empty: not said
  std::optional<uint64_t> version, guest_svn, policy;
};

struct VectorEntry {
  std::string id;
  std::string kind;
  bool genuine = false;
  time_t eval_time = 0;     // Seconds since 1970, UTC.
  bool test_roots = false;  // trust_anchor: not AMD's roots but the tests'.
  std::vector<VectorFile> files;
  std::optional<ossl::Digest256> embedded_report;  // SHA-256
  IdBlockClaims id_block;

  // Null: there is none.
  const VectorFile* File(std::string_view role) const;
};

struct Expectation {
  std::string verdict;
  std::vector<std::string> failing_checks;
  std::vector<std::string> passing_checks;  // `checks` that are true.
};

struct Vector {
  VectorEntry entry;
  Expectation expected;
  // Why the entry cannot be used; CL40, or CL41: a path leads out of the
  // folder. Then only `entry.id` counts: its own, or "#3" for the third.
  absl::Status problem;
};

struct Manifest {
  std::vector<ossl::Digest256> test_roots;
  std::vector<Vector> vectors;  // In the file's order.
};

// CL40: the text is no manifest at all. An entry that is of no use has its own
// Vector::problem, so that the others still run.
absl::StatusOr<Manifest> ParseManifest(std::string_view text);

// Relative, without empty, "." or ".." parts, backslashes or control bytes.
bool IsPathInside(std::string_view path);

}  // namespace verifier::conformance
