// SPDX-License-Identifier: Apache-2.0
#include "verifier/conformance/manifest.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "hosted/text.h"
#include "verifier/conformance/error.h"
#include "verifier/conformance/json.h"
#include "verifier/conformance/reasons.h"

namespace verifier::conformance {
namespace {

constexpr size_t kMaxName = 200;  // of an id, kind, role, check
constexpr size_t kMaxPath = 1000;

// The role of the file that `file` names, where `files` does not list it.
constexpr std::pair<std::string_view, std::string_view> kMainRoles[] = {
    {"leaf-cert", "leaf"},
    {"crl", "crl"},
    {"cert-table", "table"},
    {"azure-hcl", "hcl"},
    {"msg-report-rsp", "msg"},
    {"id-block", "id-block"},
    {"launch-measurement", "vector"},
};

std::string_view MainRole(std::string_view kind) {
  for (const auto& [of_kind, role] : kMainRoles) {
    if (of_kind == kind) return role;
  }
  return "report";
}

bool IsName(const std::string* text) {
  return text != nullptr && !text->empty() && text->size() <= kMaxName &&
         std::ranges::all_of(*text, [](char c) { return c > ' ' && c <= '~'; });
}

std::optional<ossl::Digest256> DigestOf(const std::string* hex) {
  ossl::Digest256 digest;
  if (hex == nullptr || !ossl::FromHex(*hex, digest)) return {};
  return digest;
}

std::optional<time_t> TimeOf(const std::string* text) {
  absl::Time time;
  std::string error;
  if (text == nullptr ||
      !absl::ParseTime(absl::RFC3339_full, *text, &time, &error)) {
    return std::nullopt;
  }
  if (time == absl::InfiniteFuture() || time == absl::InfinitePast()) {
    return std::nullopt;
  }
  return absl::ToTimeT(time);
}

// A number, or one in a string ("0x30000").
std::optional<uint64_t> NumberOf(const Json* value) {
  if (value == nullptr) return std::nullopt;
  if (value->is_number_unsigned()) return value->get<uint64_t>();
  const auto* text = value->get_ptr<const std::string*>();
  uint64_t number = 0;
  if (text == nullptr) return std::nullopt;
  if (text->starts_with("0x") ? absl::SimpleHexAtoi(*text, &number)
                              : absl::SimpleAtoi(*text, &number)) {
    return number;
  }
  return std::nullopt;
}

std::string HexOf(const Json& object, const char* key) {
  const std::string* text = StringMember(object, key);
  return text == nullptr ? std::string() : *text;
}

IdBlockClaims ClaimsOf(const Json& decoded) {
  IdBlockClaims claims;
  claims.id_key_digest = HexOf(decoded, "id_key_digest_sha384");
  claims.author_key_digest = HexOf(decoded, "author_key_digest_sha384");
  if (const Json* block = Member(decoded, "id_block")) {
    claims.launch_digest = HexOf(*block, "launch_digest");
    claims.family_id = HexOf(*block, "family_id");
    claims.image_id = HexOf(*block, "image_id");
    claims.version = NumberOf(Member(*block, "version"));
    claims.guest_svn = NumberOf(Member(*block, "guest_svn"));
    claims.policy = NumberOf(Member(*block, "policy"));
  }
  return claims;
}

class Reader {
 public:
  absl::StatusOr<Manifest> Read(const Json& json) {
    const auto* vectors = ArrayMember(json, "vectors");
    if (vectors == nullptr) return Bad("no array \"vectors\"");
    if (vectors->size() > kMaxVectors) return Bad("too many vectors");
    default_time_ = TimeOf(StringMember(json, "default_eval_time"));
    Manifest manifest;
    if (const Json* pins = Member(json, "test_root_pins_sha256_der")) {
      if (!pins->is_object()) return Bad("test_root_pins_sha256_der");
      for (const Json& pin : *pins) {
        const auto digest = DigestOf(pin.get_ptr<const std::string*>());
        if (!digest) return Bad("test_root_pins_sha256_der");
        manifest.test_roots.push_back(*digest);
      }
    }
    for (const Json& one : *vectors) {
      id_ = absl::StrCat("#", manifest.vectors.size() + 1);
      Vector vector;
      vector.problem = ReadVector(one, vector);
      if (!vector.problem.ok()) vector.entry.id = id_;
      manifest.vectors.push_back(std::move(vector));
    }
    return manifest;
  }

 private:
  absl::Status Bad(std::string_view what) const {
    return Error(kVectorsManifest, what);
  }

  absl::Status ReadVector(const Json& json, Vector& vector) {
    const std::string* id = StringMember(json, "id");
    const std::string* kind = StringMember(json, "kind");
    if (!IsName(id)) return Bad("an entry without a usable id");
    if (!ids_.insert(*id).second) return Bad("an id that is there before");
    id_ = *id;
    if (!IsName(kind)) return Bad("kind");
    VectorEntry& entry = vector.entry;
    entry.id = *id;
    entry.kind = *kind;
    if (const Json* genuine = Member(json, "genuine")) {
      entry.genuine = genuine->is_boolean() && genuine->get<bool>();
    }
    if (absl::Status status = ReadTime(json, entry); !status.ok()) {
      return status;
    }
    entry.test_roots = Member(json, "trust_anchor") != nullptr;
    if (absl::Status status = ReadFiles(json, entry); !status.ok()) {
      return status;
    }
    if (const std::string* embedded = StringMember(json, "embedded_report")) {
      entry.embedded_report = DigestOf(embedded);
      if (!entry.embedded_report) return Bad("embedded_report");
    }
    if (const Json* decoded = Member(json, "decoded");
        decoded != nullptr && entry.kind == "id-block") {
      entry.id_block = ClaimsOf(*decoded);
    }
    return ReadExpectation(json, vector.expected);
  }

  absl::Status ReadTime(const Json& json, VectorEntry& entry) const {
    std::optional<time_t> time = default_time_;
    if (Member(json, "eval_time") != nullptr) {
      time = TimeOf(StringMember(json, "eval_time"));
    }
    if (!time) return Bad("no usable eval_time nor default_eval_time");
    entry.eval_time = *time;
    return absl::OkStatus();
  }

  absl::Status ReadFiles(const Json& json, VectorEntry& entry) const {
    const auto* files = ArrayMember(json, "files");
    if (files != nullptr && files->size() > kMaxVectorFiles) {
      return Bad("too many files");
    }
    if (files != nullptr) {
      for (const Json& file : *files) {
        const std::string* role = StringMember(file, "role");
        if (!IsName(role)) return Bad("a file without a usable role");
        absl::Status status =
            AddFile(*role, StringMember(file, "path"), file, entry);
        if (!status.ok()) return status;
      }
    }
    const std::string* main = StringMember(json, "file");
    const std::string_view role = MainRole(entry.kind);
    if (main == nullptr || entry.File(role) != nullptr) return absl::OkStatus();
    return AddFile(std::string(role), main, json, entry);
  }

  // `object` has its sha256.
  absl::Status AddFile(std::string role, const std::string* path,
                       const Json& object, VectorEntry& entry) const {
    if (path == nullptr) return Bad("a file without a path");
    if (!IsPathInside(*path)) {
      return Error(kVectorPath, hosted::Printable(*path));
    }
    const auto digest = DigestOf(StringMember(object, "sha256"));
    if (!digest) return Bad("a file without a usable sha256");
    if (entry.File(role) != nullptr) return Bad("one role for two files");
    entry.files.push_back({std::move(role), *path, *digest});
    return absl::OkStatus();
  }

  absl::Status ReadExpectation(const Json& json, Expectation& out) const {
    const Json* expected = Member(json, "expected");
    const std::string* verdict =
        expected == nullptr ? nullptr : StringMember(*expected, "verdict");
    if (!IsName(verdict)) return Bad("no expected.verdict");
    out.verdict = *verdict;
    if (const auto* failing = ArrayMember(*expected, "failing_checks")) {
      for (const Json& name : *failing) {
        const auto* text = name.get_ptr<const std::string*>();
        if (!IsName(text)) return Bad("expected.failing_checks");
        out.failing_checks.push_back(*text);
      }
    }
    if (const Json* checks = Member(json, "checks")) {
      if (!checks->is_object()) return Bad("checks");
      for (const auto& [name, value] : checks->items()) {
        if (value.is_boolean() && value.get<bool>()) {
          out.passing_checks.push_back(name);
        }
      }
    }
    return absl::OkStatus();
  }

  std::string id_;  // Of the entry that is read.
  std::set<std::string> ids_;
  std::optional<time_t> default_time_;
};

}  // namespace

const VectorFile* VectorEntry::File(std::string_view role) const {
  const auto found = std::ranges::find(files, role, &VectorFile::role);
  return found == files.end() ? nullptr : &*found;
}

bool IsPathInside(std::string_view path) {
  if (path.empty() || path.size() > kMaxPath) return false;
  for (const char c : path) {
    if (c < ' ' || c > '~' || c == '\\') return false;
  }
  for (const std::string_view part : absl::StrSplit(path, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

absl::StatusOr<Manifest> ParseManifest(std::string_view text) {
  if (text.size() > kMaxManifestSize) {
    return Error(kVectorsManifest, "larger than 16 MiB");
  }
  const auto json = ParseJson(text, "manifest.json");
  if (!json.ok()) return json.status();
  return Reader().Read(*json);
}

}  // namespace verifier::conformance
