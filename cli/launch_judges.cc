// SPDX-License-Identifier: Apache-2.0
#include "cli/launch_judges.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/page_list.h"
#include "launch/id_block.h"
#include "sev/id_block.h"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

using verifier::conformance::Conclude;
using verifier::conformance::IdBlockClaims;
using verifier::conformance::Judgement;
using verifier::conformance::KindJudge;
using verifier::conformance::LoadedVector;
using verifier::conformance::Refuse;
using verifier::conformance::VectorContext;

// An ID block, with its keys and authentication information.
class IdBlockJudge {
 public:
  IdBlockJudge(const LoadedVector& vector) : vector_(vector) {}

  Judgement Run() {
    const base::Bytes bytes = vector_.File("id-block");
    const auto block = sev::ParseIdBlock(bytes);
    if (!block.ok()) return Refuse("id_block", "the ID block is malformed");
    Compare(*block);
    CheckKey("id-public-key-struct", claims().id_key_digest, "id_key_digest");
    CheckKey("author-public-key-struct", claims().author_key_digest,
             "author_key_digest");
    const base::Bytes auth_bytes = vector_.File("id-auth-info");
    if (!auth_bytes.empty()) CheckAuth(bytes, auth_bytes);
    return Conclude(std::move(failing_), std::move(note_));
  }

 private:
  const IdBlockClaims& claims() const { return vector_.entry.id_block; }

  void Fail(std::string_view check, std::string_view note = "") {
    failing_.emplace_back(check);
    if (note_.empty()) note_ = note;
  }

  // Empty: the manifest does not say.
  void CompareHex(std::string_view check, base::Bytes bytes,
                  const std::string& claimed) {
    if (!claimed.empty() &&
        verifier::ossl::Hex(bytes) != absl::AsciiStrToLower(claimed)) {
      Fail(check, "not what the manifest says of it");
    }
  }
  void CompareNumber(std::string_view check, uint64_t value,
                     std::optional<uint64_t> claimed) {
    if (claimed && value != *claimed) {
      Fail(check, "not what the manifest says of it");
    }
  }

  void Compare(const sev::IdBlock& block) {
    CompareHex("launch_digest", block.launch_digest, claims().launch_digest);
    CompareHex("family_id", block.family_id, claims().family_id);
    CompareHex("image_id", block.image_id, claims().image_id);
    CompareNumber("version", sev::kIdBlockVersion, claims().version);
    CompareNumber("guest_svn", block.guest_svn, claims().guest_svn);
    CompareNumber("policy", block.policy, claims().policy);
  }

  void CheckKey(std::string_view role, const std::string& claimed,
                std::string_view check) {
    const base::Bytes bytes = vector_.File(role);
    if (bytes.empty()) return;
    if (!sev::ParseEcdsaKey(bytes).ok()) {
      return Fail(check, "a key structure is malformed");
    }
    CompareHex(check, launch::IdKeyDigest(bytes.first<sev::kEcdsaKeySize>()),
               claimed);
  }

  void CheckAuth(base::Bytes block, base::Bytes bytes) {
    const auto auth = sev::ParseIdAuth(bytes);
    if (!auth.ok()) {
      return Fail("id_auth", "the authentication information is malformed");
    }
    const launch::IdAuthVerdict verdict = launch::VerifyIdAuth(block, *auth);
    if (!verdict.algorithms) Fail("algos", "an algorithm is unknown");
    const base::Bytes id_key = vector_.File("id-public-key-struct");
    if (!id_key.empty() && !base::Equal(auth->id_key, id_key)) {
      Fail("id_key_in_auth", "another ID key");
    }
    const base::Bytes author = vector_.File("author-public-key-struct");
    if (!author.empty() && !base::Equal(auth->author_key, author)) {
      Fail("author_key_in_auth", "another author key");
    }
    if (!verdict.id_block_signature) {
      Fail("id_block_signature", "the ID key did not sign this block");
    }
    if (verdict.id_key_signature == false) {
      Fail("id_key_signature", "the author key did not sign this ID key");
    }
  }

  const LoadedVector& vector_;
  std::vector<std::string> failing_;
  std::string note_;
};

Judgement JudgeIdBlock(const LoadedVector& vector, const VectorContext&) {
  return IdBlockJudge(vector).Run();
}

// A list of measured pages and the launch digest they give.
Judgement JudgeLaunch(const LoadedVector& vector, const VectorContext&) {
  const base::Bytes text = vector.File("vector");
  // Inputs alone (a kernel for firmware without a place for its hash): there
  // is nothing that the secure processor could have measured.
  if (text.empty()) return Refuse("page_list", "no list of pages");
  const auto list = ReadPageList(text);
  if (!list.ok()) {
    return Refuse("page_list", std::string(list.status().message()));
  }
  if (!list->expected) return Refuse("page_list", "no expected_launch_digest");
  if (list->digest != *list->expected) {
    return Refuse("launch_digest",
                  absl::StrCat("measured ", verifier::ossl::Hex(list->digest)));
  }
  return Conclude({});
}

constexpr KindJudge kJudges[] = {
    {"id-block", &JudgeIdBlock},
    {"launch-measurement", &JudgeLaunch},
};

}  // namespace

std::span<const KindJudge> LaunchJudges() { return kJudges; }

}  // namespace cli
