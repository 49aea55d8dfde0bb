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
#include "verifier/evidence/amd_roots.h"
#include "verifier/evidence/chain_cache.h"
#include "verifier/evidence/crl.h"
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
  explicit ChainVerifier(const AppraisalInput& input) : input_(input) {}

  Chain Run() {
    if (!ParseAll()) return std::move(chain_);
    FindMissing();
    if (leaf_) chain_.facts = ReadLeaf(*leaf_);
    CheckIntermediate();
    CheckRoot();
    CheckLeaf();
    CheckCrl();
    SetValidity();
    const bool complete = leaf_ && intermediate_ && root_;
    chain_.verified = complete && chain_.findings.empty();
    if (chain_.verified) KeepIssuers();
    chain_.leaf = std::move(leaf_);
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

  std::optional<Certificate> ParseOne(base::Bytes bytes, std::string_view name,
                                      Findings& findings) {
    if (bytes.empty()) return std::nullopt;
    auto certificate = Certificate::Parse(bytes);
    if (!certificate) {
      findings.push_back({kCertificateMalformed, std::string(name)});
    }
    return certificate;
  }

  // As ParseOne, of a place where few certificates occur.
  std::optional<Certificate> ParseIssuer(ChainCache::Place place,
                                         base::Bytes bytes,
                                         std::string_view name, bool& known,
                                         Findings& findings) {
    if (input_.cache != nullptr && !bytes.empty()) {
      auto certificate = input_.cache->Issuer(place, bytes);
      known = certificate.has_value();
      if (known) return certificate;
    }
    return ParseOne(bytes, name, findings);
  }

  void KeepIssuers() {
    if (input_.cache == nullptr) return;
    const CertificateSet& set = input_.certificates;
    if (!set.intermediate.empty() && !intermediate_is_known_) {
      input_.cache->InsertIssuer(ChainCache::Place::kIntermediate,
                                 set.intermediate, *intermediate_);
    }
    if (!set.root.empty() && !root_is_known_) {
      input_.cache->InsertIssuer(ChainCache::Place::kRoot, set.root, *root_);
    }
  }

  bool ParseAll() {
    const CertificateSet& set = input_.certificates;
    Findings findings;
    leaf_ = ParseOne(set.leaf, "VCEK or VLEK", findings);
    intermediate_ =
        ParseIssuer(ChainCache::Place::kIntermediate, set.intermediate,
                    "ASK or ASVK", intermediate_is_known_, findings);
    root_ = ParseIssuer(ChainCache::Place::kRoot, set.root, "ARK",
                        root_is_known_, findings);
    if (!set.crl.empty()) {
      crl_ = Crl::Parse(set.crl);
      if (!crl_) findings.push_back(Crl::WhyNot(set.crl));
    }
    const bool ok = findings.empty();
    const bool any = leaf_ || intermediate_ || root_ || crl_;
    if (!ok || any) Record(Check::kCertificatesParse, std::move(findings));
    return ok;
  }

  // A candidate that signed `subject`, the last issued of them: AMD has
  // replaced ASKs. If none did, for its findings, one of the right name.
  static std::optional<Certificate> SignerAmong(
      const Certificate& subject,
      const std::vector<const Certificate*>& candidates) {
    const Certificate* found = nullptr;
    for (const Certificate* candidate : candidates) {
      Findings findings;
      CheckSignedBy(subject, *candidate, "", findings);
      if (findings.empty() &&
          (found == nullptr || found->not_before() < candidate->not_before())) {
        found = candidate;
      }
    }
    if (found == nullptr && !candidates.empty()) found = candidates.front();
    if (found == nullptr) return std::nullopt;
    return *found;
  }

  void FindMissing() {
    if (!leaf_) {
      // Without it the others prove nothing, so nobody needs to bring them.
      Missing(kEvidenceNoLeaf);
      return;
    }
    if (!intermediate_ && input_.authorities != nullptr) {
      intermediate_ =
          SignerAmong(*leaf_, input_.authorities->IssuersOf(*leaf_));
    }
    if (!intermediate_) {
      Missing(kEvidenceNoAsk);
      return;
    }
    if (!root_) {
      std::vector<Certificate> accepted;
      std::vector<const Certificate*> candidates;
      if (input_.authorities != nullptr) {
        candidates = input_.authorities->IssuersOf(*intermediate_);
      }
      // Names repeat: every emulated hierarchy has the same.
      for (const AcceptedRoot& root : input_.roots) {
        auto certificate = Certificate::Parse(root.der);
        if (certificate && intermediate_->NamesAsIssuer(*certificate)) {
          accepted.push_back(*std::move(certificate));
        }
      }
      for (const Certificate& root : accepted) candidates.push_back(&root);
      root_ = SignerAmong(*intermediate_, candidates);
    }
    if (!root_) Missing(kEvidenceNoArk);
  }

  // A certificate of another kind in this place, or the same one twice.
  void CheckPlace(const Certificate& certificate, Place place,
                  base::Reason if_unknown, Findings& findings) const {
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
      if (leaf_) chain_.product = RoleOf(leaf_->IssuerName()).product;
      return;
    }
    const Role role = RoleOf(intermediate_->SubjectName());
    chain_.product = role.product;
    Findings known;
    CheckPlace(*intermediate_, Place::kIntermediate, kIntermediateUnknown,
               known);
    for (const auto* other : {&leaf_, &root_}) {
      if (*other && (*other)->sha256() == intermediate_->sha256()) {
        known.push_back({kCertificateDuplicate, "ASK or ASVK"});
      }
    }
    if (known.empty()) CheckIsCa(*intermediate_, "ASK or ASVK", known);
    if (role.product_unknown) ProductUnknown(*intermediate_, known);
    Record(Check::kIntermediateKnown, std::move(known));
    Findings validity;
    CheckValidity(*intermediate_, input_.now, "ASK or ASVK", validity);
    Record(Check::kIntermediateInValidity, std::move(validity));
    if (root_) {
      Findings is_signed;
      CheckSignedBy(*intermediate_, *root_, "ASK or ASVK", is_signed);
      Record(Check::kIntermediateSigned, std::move(is_signed));
    }
  }

  void CheckRoot() {
    if (!root_) return;
    Findings pinned;
    const auto accepted =
        std::ranges::find(input_.roots, root_->sha256(), &AcceptedRoot::sha256);
    if (accepted == input_.roots.end()) {
      pinned.push_back(
          {kRootNotAccepted,
           absl::StrCat("seen sha256:", ossl::Hex(root_->sha256()))});
      CheckPlace(*root_, Place::kRoot, kRootNotAccepted, pinned);
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
    // Known: the same bytes were the root of a chain that verified.
    if (!root_is_known_) CheckSignedBy(*root_, *root_, "ARK", by_itself);
    if (!by_itself.empty()) {
      self.push_back({kRootNotSelfSigned, ReasonCode(by_itself[0].reason)});
    }
    CheckIsCa(*root_, "ARK", self);
    Record(Check::kRootSelfSigned, std::move(self));
    Findings validity;
    CheckValidity(*root_, input_.now, "ARK", validity);
    Record(Check::kRootInValidity, std::move(validity));
  }

  void CheckLeaf() {
    if (!leaf_) return;
    Findings key;
    CheckLeafKey(*leaf_, key);
    Record(Check::kLeafKey, std::move(key));
    Findings validity;
    CheckValidity(*leaf_, input_.now, "VCEK or VLEK", validity);
    Record(Check::kLeafInValidity, std::move(validity));
    Findings place;
    CheckPlace(*leaf_, Place::kLeaf, kLeafUnknown, place);
    if (leaf_->ClaimsToBeCa()) place.push_back({kVcekIsCa, ""});
    if (!place.empty()) Record(Check::kLeafType, std::move(place));
    if (!intermediate_) return;
    Findings is_signed;
    CheckSignedBy(*leaf_, *intermediate_, "VCEK or VLEK", is_signed);
    const Role issuer = RoleOf(intermediate_->SubjectName());
    if (issuer.place == Place::kIntermediate && chain_.facts.kind &&
        issuer.kind != chain_.facts.kind) {
      is_signed.push_back({kLeafOfAnotherIssuer,
                           absl::StrCat(NameOf(*chain_.facts.kind), " under ",
                                        Quoted(intermediate_->SubjectName()))});
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

  // The list that came with the evidence, or an imported one that is newer.
  void CheckCrl() {
    if (!root_) return;
    const Crl* crl = crl_ ? &*crl_ : nullptr;
    // A stranger's key is not tried on every list that was imported.
    if (input_.authorities != nullptr && chain_.root) {
      const Crl* imported = input_.authorities->CrlOf(*root_);
      if (imported != nullptr &&
          (crl == nullptr || crl->number() < imported->number())) {
        crl = imported;
      }
    }
    if (crl == nullptr) return;
    Findings is_signed;
    CheckCrlSignedBy(*crl, *root_, is_signed);
    const bool believable = is_signed.empty();
    Record(Check::kCrlSigned, std::move(is_signed));
    Findings current;
    CheckCrlCurrent(*crl, input_.now, current);
    const bool is_current = current.empty();
    Record(Check::kCrlCurrent, std::move(current));
    if (!believable || !intermediate_) return;
    Findings revoked;
    CheckNotRevoked(*intermediate_, *crl, "ASK or ASVK", revoked);
    CheckNotRevoked(*root_, *crl, "ARK", revoked);
    chain_.crl_checked = is_current && revoked.empty();
    Record(Check::kIntermediateNotRevoked, std::move(revoked));
    Limit(crl->this_update(), crl->next_update());
  }

  void SetValidity() {
    for (const auto* certificate : {&leaf_, &intermediate_, &root_}) {
      if (!*certificate) continue;
      Limit((*certificate)->not_before(), (*certificate)->not_after());
    }
  }

  // The same bytes give the same result in [from, until) only.
  void Limit(std::optional<time_t> from, std::optional<time_t> until) {
    chain_.not_before = std::max(chain_.not_before, from.value_or(kNever));
    chain_.not_after = std::min(chain_.not_after, until.value_or(0));
  }

  static constexpr time_t kNever = std::numeric_limits<time_t>::max();

  const AppraisalInput& input_;
  Chain chain_{.not_after = kNever};
  std::optional<Certificate> leaf_, intermediate_, root_;
  bool intermediate_is_known_ = false;
  bool root_is_known_ = false;
  std::optional<Crl> crl_;
};

void Absorb(ossl::Sha256& hash, base::Bytes bytes) {
  std::array<uint8_t, 8> size;
  base::StoreLe<uint64_t>(bytes.size(), size);
  hash.Update(size).Update(bytes);
}

ossl::Digest256 CacheKey(const AppraisalInput& input) {
  ossl::Sha256 hash;
  const CertificateSet& set = input.certificates;
  for (const base::Bytes part :
       {set.leaf, set.intermediate, set.root, set.crl}) {
    Absorb(hash, part);
  }
  if (input.authorities != nullptr) {
    Absorb(hash, input.authorities->generation());
  }
  for (const AcceptedRoot& root : input.roots) {
    Absorb(hash, root.sha256);
    const uint8_t rest[] = {static_cast<uint8_t>(root.trust_class),
                            static_cast<uint8_t>(root.der.empty())};
    Absorb(hash, rest);
  }
  return hash.Finish();
}

}  // namespace

Chain VerifyChain(const AppraisalInput& input) {
  return ChainVerifier(input).Run();
}

std::shared_ptr<const Chain> VerifyChainCached(const AppraisalInput& input) {
  if (input.cache == nullptr) {
    return std::make_shared<const Chain>(VerifyChain(input));
  }
  const ossl::Digest256 key = CacheKey(input);
  if (auto chain = input.cache->Find(key, input.now)) return chain;
  auto chain = std::make_shared<const Chain>(VerifyChain(input));
  input.cache->Insert(key, chain);
  return chain;
}

}  // namespace verifier
