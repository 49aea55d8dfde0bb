// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/chain.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "verifier/endorsements/amd_roots.h"
#include "verifier/endorsements/crl.h"
#include "verifier/evidence/chain_cache.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

// What an AMD certificate is, by its subject's name.
enum class Place : uint8_t { kLeaf, kIntermediate, kRoot, kUnknown };

struct Role {
  Place place = Place::kUnknown;
  std::optional<SignerKind> kind;  // Of a leaf, or of those it signs.
  std::optional<sev::Product> product;
  bool product_unknown = false;  // Named as AMD names products; none of ours.
};

// "Venice": a capital letter, then small ones.
bool LooksLikeAProduct(std::string_view name) {
  return name.size() > 1 &&
         absl::ascii_isupper(static_cast<uint8_t>(name[0])) &&
         std::ranges::all_of(name.substr(1), [](char c) {
           return absl::ascii_islower(static_cast<uint8_t>(c));
         });
}

std::optional<sev::Product> ExactProduct(std::string_view name) {
  const auto product = sev::ProductOfName(name);
  if (!product || NameOf(*product) != name) return std::nullopt;
  return product;
}

// "ARK-Milan", "SEV-Milan" (ASK), "SEV-VLEK-Milan" (ASVK), "SEV-VCEK",
// "SEV-VLEK".
Role RoleOf(std::string_view name) {
  if (name == "SEV-VCEK") return {Place::kLeaf, SignerKind::kVcek, {}};
  if (name == "SEV-VLEK") return {Place::kLeaf, SignerKind::kVlek, {}};
  Role role;
  for (const auto& [prefix, place, kind] :
       {std::tuple{"ARK-", Place::kRoot, std::optional<SignerKind>()},
        std::tuple{"SEV-VLEK-", Place::kIntermediate,
                   std::optional(SignerKind::kVlek)},
        std::tuple{"SEV-", Place::kIntermediate,
                   std::optional(SignerKind::kVcek)}}) {
    if (!name.starts_with(prefix)) continue;
    const std::string_view product =
        name.substr(std::string_view(prefix).size());
    role.product = ExactProduct(product);
    role.product_unknown = !role.product && LooksLikeAProduct(product);
    if (!role.product && !role.product_unknown) return {};
    role.place = place;
    role.kind = kind;
    return role;
  }
  return role;
}

std::string Quoted(const std::string& name) {
  return absl::StrCat("\"", name, "\"");
}

class ChainVerifier {
 public:
  explicit ChainVerifier(const ChainInput& input) : input_(input) {}

  Chain Run() {
    if (!TakeAll()) return std::move(chain_);
    FindMissing();
    CheckIntermediate();
    CheckRoot();
    CheckLeaf();
    CheckList();
    SetValidity();
    const bool complete = leaf_ && intermediate_ && root_;
    chain_.verified = complete && chain_.findings.empty();
    if (chain_.verified) KeepAll();
    if (leaf_) chain_.leaf = leaf_->certificate;
    return std::move(chain_);
  }

 private:
  // Passed unless it was recorded as failed already.
  void Record(Check check, Findings findings) {
    Outcome& outcome = chain_.outcomes[static_cast<size_t>(check)];
    if (!findings.empty()) {
      outcome = Outcome::kFail;
    } else if (outcome == Outcome::kNotEvaluated) {
      outcome = Outcome::kPass;
    }
    std::ranges::move(findings, std::back_inserter(chain_.findings));
  }

  void Missing(base::Reason reason) { chain_.findings.push_back({reason, ""}); }

  // A signature that verified once does so for ever: the same bytes.
  void CheckSigned(const CertificatePtr& subject, const CertificatePtr& issuer,
                   std::string_view name, Findings& findings) const {
    const Certificate& certificate = subject->certificate;
    const Certificate& by = issuer->certificate;
    if (input_.cache != nullptr &&
        input_.cache->known().IsSigned(certificate.sha256(), by.sha256())) {
      return;
    }
    CheckSignedBy(certificate, by, name, findings);
  }

  void KeepAll() {
    if (input_.cache == nullptr) return;
    KnownCertificates& known = input_.cache->known();
    for (const auto& part : {leaf_, intermediate_, root_}) known.Keep(part);
    const auto keep = [&](const ossl::Digest256& subject,
                          const CertificatePtr& issuer) {
      known.KeepSigned(subject, issuer->certificate.sha256());
    };
    keep(leaf_->certificate.sha256(), intermediate_);
    keep(intermediate_->certificate.sha256(), root_);
    keep(root_->certificate.sha256(), root_);
    if (list_) {
      known.Keep(list_);
      keep(list_->crl.sha256(), root_);
    }
  }

  bool TakeAll() {
    const Selection& from = input_.selection;
    leaf_ = from.leaf;
    intermediate_ = from.intermediate;
    root_ = from.root;
    list_ = from.list;
    if (leaf_) chain_.facts = leaf_->facts;
    const bool any = leaf_ || intermediate_ || root_ || list_;
    if (any || !from.unusable.empty()) {
      Record(Check::kCertificatesParse, from.unusable);
    }
    return !from.has_broken_place;
  }

  void FindMissing() {
    // Without a leaf the others prove nothing, so nobody needs to bring them.
    if (!leaf_) {
      Missing(kEvidenceNoLeaf);
    } else if (!intermediate_) {
      Missing(kEvidenceNoAsk);
    } else if (!root_) {
      Missing(kEvidenceNoArk);
    }
  }

  // A certificate of another kind in this place, or the same one twice.
  static void CheckPlace(const Certificate& certificate, Place place,
                         base::Reason if_unknown, Findings& findings) {
    const std::string name = certificate.SubjectName();
    const Role role = RoleOf(name);
    if (role.place == Place::kUnknown) {
      findings.push_back({if_unknown, Quoted(name)});
    } else if (role.place != place) {
      findings.push_back({kCertificateOrder, Quoted(name)});
    }
    if (certificate.HasUnknownCriticalExtension()) {
      findings.push_back({kCertificateCritical, Quoted(name)});
    }
  }

  // Fails nothing where what is newer may be shown, and never verifies.
  void ProductUnknown(const Certificate& certificate, Findings& findings) {
    (input_.allow_newer_version ? chain_.findings : findings)
        .push_back({kProductUnknown, Quoted(certificate.SubjectName())});
  }

  void CheckIntermediate() {
    if (!intermediate_) {
      // The TCB's layout is known all the same, from the leaf's issuer.
      if (leaf_)
        chain_.product = RoleOf(leaf_->certificate.IssuerName()).product;
      return;
    }
    const Role role = RoleOf(intermediate_->certificate.SubjectName());
    chain_.product = role.product;
    Findings known;
    CheckPlace(intermediate_->certificate, Place::kIntermediate,
               kIntermediateUnknown, known);
    for (const auto* other : {&leaf_, &root_}) {
      if (*other && (*other)->certificate.sha256() ==
                        intermediate_->certificate.sha256()) {
        known.push_back({kCertificateDuplicate, "ASK or ASVK"});
      }
    }
    if (known.empty()) {
      CheckIsCa(intermediate_->certificate, "ASK or ASVK", known);
    }
    if (role.product_unknown) {
      ProductUnknown(intermediate_->certificate, known);
    }
    Record(Check::kIntermediateKnown, std::move(known));
    Findings validity;
    CheckValidity(intermediate_->certificate, input_.now, "ASK or ASVK",
                  validity);
    Record(Check::kIntermediateInValidity, std::move(validity));
    if (root_) {
      Findings is_signed;
      CheckSigned(intermediate_, root_, "ASK or ASVK", is_signed);
      Record(Check::kIntermediateSigned, std::move(is_signed));
    }
  }

  void CheckRoot() {
    if (!root_) return;
    Findings pinned;
    const auto accepted = std::ranges::find(
        input_.roots, root_->certificate.sha256(), &AcceptedRoot::sha256);
    if (accepted == input_.roots.end()) {
      pinned.push_back({kRootNotAccepted,
                        absl::StrCat("seen sha256:",
                                     ossl::Hex(root_->certificate.sha256()))});
      CheckPlace(root_->certificate, Place::kRoot, kRootNotAccepted, pinned);
    } else {
      chain_.root = accepted->sha256;
      chain_.trust_class = accepted->trust_class;
      const auto product = ProductOfRoot(accepted->sha256);
      if (product && chain_.product && *product != *chain_.product) {
        pinned.push_back({kRootOfAnotherProduct,
                          absl::StrCat("root ", NameOf(*product), ", chain ",
                                       NameOf(*chain_.product))});
      }
    }
    Record(Check::kRootPinned, std::move(pinned));
    Findings self;
    Findings by_itself;
    CheckSigned(root_, root_, "ARK", by_itself);
    if (!by_itself.empty()) {
      self.push_back({kRootNotSelfSigned, ReasonCode(by_itself[0].reason)});
    }
    CheckIsCa(root_->certificate, "ARK", self);
    Record(Check::kRootSelfSigned, std::move(self));
    Findings validity;
    CheckValidity(root_->certificate, input_.now, "ARK", validity);
    Record(Check::kRootInValidity, std::move(validity));
  }

  void CheckLeaf() {
    if (!leaf_) return;
    Findings key;
    CheckLeafKey(leaf_->certificate, key);
    Record(Check::kLeafKey, std::move(key));
    Findings validity;
    CheckValidity(leaf_->certificate, input_.now, "VCEK or VLEK", validity);
    Record(Check::kLeafInValidity, std::move(validity));
    Findings place;
    CheckPlace(leaf_->certificate, Place::kLeaf, kLeafUnknown, place);
    if (leaf_->certificate.ClaimsToBeCa()) place.push_back({kVcekIsCa, ""});
    if (!place.empty()) Record(Check::kLeafType, std::move(place));
    if (!intermediate_) return;
    Findings is_signed;
    CheckSigned(leaf_, intermediate_, "VCEK or VLEK", is_signed);
    const Role issuer = RoleOf(intermediate_->certificate.SubjectName());
    if (issuer.place == Place::kIntermediate && chain_.facts.kind &&
        issuer.kind != chain_.facts.kind) {
      is_signed.push_back(
          {kLeafOfAnotherIssuer,
           absl::StrCat(NameOf(*chain_.facts.kind), " under ",
                        Quoted(intermediate_->certificate.SubjectName()))});
    }
    Record(Check::kLeafSigned, std::move(is_signed));
  }

  static void CheckLeafKey(const Certificate& leaf, Findings& findings) {
    EVP_PKEY* key = leaf.key();
    char group[32] = "";
    if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_EC ||
        EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) != 1 ||
        std::string_view(group) != "secp384r1") {
      findings.push_back({kVcekKey, group});
    }
    ERR_clear_error();
  }

  void CheckList() {
    if (!root_ || !list_) return;
    const Crl& list = list_->crl;
    const Certificate& root = root_->certificate;
    Findings is_signed;
    if (input_.cache == nullptr ||
        !input_.cache->known().IsSigned(list.sha256(), root.sha256())) {
      CheckCrlSignedBy(list, root, is_signed);
    }
    const bool believable = is_signed.empty();
    Record(Check::kCrlSigned, std::move(is_signed));
    Findings current;
    CheckCrlCurrent(list, input_.now, current);
    const bool is_current = current.empty();
    Record(Check::kCrlCurrent, std::move(current));
    if (!believable || !intermediate_) return;
    Findings revoked;
    CheckNotRevoked(intermediate_->certificate, list, "ASK or ASVK", revoked);
    CheckNotRevoked(root, list, "ARK", revoked);
    chain_.crl_checked = is_current && revoked.empty();
    Record(Check::kIntermediateNotRevoked, std::move(revoked));
    Limit(list.this_update(), list.next_update());
  }

  void SetValidity() {
    for (const auto* certificate : {&leaf_, &intermediate_, &root_}) {
      if (!*certificate) continue;
      Limit((*certificate)->certificate.not_before(),
            (*certificate)->certificate.not_after());
    }
  }

  // The same bytes give the same result in [from, until) only.
  void Limit(std::optional<time_t> from, std::optional<time_t> until) {
    chain_.not_before = std::max(chain_.not_before, from.value_or(kNever));
    chain_.not_after = std::min(chain_.not_after, until.value_or(0));
  }

  static constexpr time_t kNever = std::numeric_limits<time_t>::max();

  const ChainInput& input_;
  Chain chain_{.not_after = kNever};
  CertificatePtr leaf_, intermediate_, root_;
  ListPtr list_;
};

ossl::Digest256 CacheKey(const ChainInput& input) {
  ossl::Sha256 hash;
  const Selection& from = input.selection;
  for (const CertificatePtr& part : {from.leaf, from.intermediate, from.root}) {
    hash.Update(part ? part->certificate.sha256() : ossl::Digest256{});
  }
  hash.Update(from.list ? from.list->crl.sha256() : ossl::Digest256{});
  for (const AcceptedRoot& root : input.roots) {
    const auto trust_class = static_cast<uint8_t>(root.trust_class);
    hash.Update(root.sha256).Update({&trust_class, 1});
  }
  return hash.Finish();
}

}  // namespace

Chain VerifyChain(const ChainInput& input) {
  return ChainVerifier(input).Run();
}

std::shared_ptr<const Chain> VerifyChainCached(const ChainInput& input) {
  // What cannot be used is no part of the key.
  if (input.cache == nullptr || !input.selection.unusable.empty()) {
    return std::make_shared<const Chain>(VerifyChain(input));
  }
  const ossl::Digest256 key = CacheKey(input);
  if (auto chain = input.cache->Find(key, input.now)) return chain;
  auto chain = std::make_shared<const Chain>(VerifyChain(input));
  input.cache->Insert(key, chain);
  return chain;
}

}  // namespace verifier
