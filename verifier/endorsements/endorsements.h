// SPDX-License-Identifier: Apache-2.0
//
// Endorsements (RFC 9334, 8.2): which certificates and lists fit a report, and
// why the others do not. A collection from any number of sources: evidence,
// files, folders, a key service. None of them chooses.
//
// What is chosen depends on content alone: on signatures, on chip and TCB, on
// dates, revocation and the accepted roots, and on the claim with which it was
// added. Never on names of files or on the order in which they came. So what is
// added with Claim::kStored can make a verdict better, and never worse, but by
// a list that revokes. docs/design/0018 has the reasons.
//
// Spec: AMD 57230 (VCEK Certificate and KDS Interface) rev. 1.00.
#pragma once

#include <cstdint>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "base/bytes.h"
#include "sev/cert_table.h"
#include "sev/report.h"
#include "verifier/endorsements/accepted_root.h"
#include "verifier/endorsements/known_certificates.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"

namespace verifier {

// What stands behind a certificate that was added.
enum class Claim : uint8_t {
  // One of many: used where it fits, else passed over.
  kStored,
  // A person named its file for this report: it goes before what is stored, and
  // counts if it cannot be used.
  kGiven,
  // It came in a place of a chain, as a certificate table has them: judged
  // there if nothing that is stored fits better.
  kPlaced,
};

struct Source {
  std::string name;  // For people: a path, "the key service".
  Claim claim = Claim::kStored;
};

// Certificates in their places, DER or PEM of one each, or empty. Borrowed.
struct CertificateSet {
  base::Bytes leaf;          // VCEK or VLEK
  base::Bytes intermediate;  // ASK or ASVK
  base::Bytes root;          // ARK
  base::Bytes crl;
};

// For whom endorsements are wanted.
struct EndorsementQuery {
  // Null: no report; then `leaf` says.
  const sev::UnverifiedReport* report = nullptr;
  CertificatePtr leaf;
  std::span<const AcceptedRoot> roots;
  time_t at = 0;  // Seconds since 1970, UTC.
};

// One chain, ready to be judged. What is null is not at hand.
struct Selection {
  CertificatePtr leaf, intermediate, root;
  ListPtr list;
  // What counts although it cannot be used.
  Findings unusable;
  // One of `unusable` claims a place of the chain: the rest proves nothing.
  bool has_broken_place = false;
};

// Why one was passed over.
enum class Unfit : uint8_t {
  kAnotherKind,  // A VLEK for a report signed by a VCEK, or the reverse.
  kAnotherChip,  // Or, of lists and issuers: of another chain.
  kAnotherTcb,
  kDoesNotSign,  // It has the issuer's name, and did not sign.
  kNotSigned,    // No accepted root signed it.
  kNotAccepted,  // A root that is not accepted.
  kNotYetValid,
  kOutOfDate,
  kRevoked,
  kSuperseded,  // Another that fits is newer, or equal to it.
};
std::string_view TextOf(Unfit unfit);

struct PassedOver {
  std::string source;
  std::string what;  // "SEV-Milan", "CRL".
  Unfit why = Unfit::kSuperseded;
  Claim claim = Claim::kStored;
};

// "ARK", "ASK", "ASVK", "VCEK", "VLEK"; empty: none of them by its subject.
std::string_view KindOf(const Certificate& certificate);

// Whether this VCEK or VLEK belongs to the key kind and chip, and to the
// reported TCB, of `report`, as far as it says.
bool IsOfChip(const LeafFacts& facts, const sev::UnverifiedReport& report);
bool IsOfTcb(const LeafFacts& facts, const sev::UnverifiedReport& report);

// Cheap to copy: what was parsed is shared.
class Endorsements {
 public:
  // `base`: what is in it already, unchanged from here on; may be null. `known`
  // spares work and changes no result; may be null, else outlives this.
  explicit Endorsements(std::shared_ptr<const Endorsements> base = nullptr,
                        const KnownCertificates* known = nullptr)
      : base_(std::move(base)), known_(known) {}

  // DER, PEM, several of either one after the other, or a certificate table,
  // whose slots are places. `source.claim` is kStored or kGiven. What can be
  // used of it is taken.
  //   InvalidArgument: something in it cannot be used; if it is given, that is
  //   kept among the unusable. ResourceExhausted: there are too many.
  absl::Status Add(base::Bytes bytes, const Source& source);

  // Claim::kPlaced. Where several fill one place, the first counts.
  void AddPlaced(const CertificateSet& set, const std::string& name);
  // As AddPlaced. The table has one place for what signed its leaf, and may
  // have two leaves: the report's kind of key says which counts.
  void AddTable(const sev::CertTable& table, const std::string& name);

  // The chain of which the fewest checks will fail.
  Selection For(const EndorsementQuery& query) const;
  // Everything that `selection`, the answer to `query`, leaves out.
  std::vector<PassedOver> LeftOut(const EndorsementQuery& query,
                                  const Selection& selection) const;

  // What was added, each once, without the base's and without what is placed.
  struct Held {
    CertificatePtr certificate;
    Source source;
  };
  struct HeldList {
    ListPtr list;
    Source source;
  };
  const std::vector<Held>& leaves() const { return leaves_; }
  const std::vector<Held>& issuers() const { return issuers_; }
  const std::vector<HeldList>& lists() const { return lists_; }

  // By all that was added, in whatever order.
  ossl::Digest256 Fingerprint() const;

 private:
  friend class Selector;

  // What came in one place of a chain.
  template <typename Pointer>
  struct Slot {
    Pointer value;
    std::optional<Finding> fault;  // What is there does not parse.
    bool filled() const { return value != nullptr || fault; }
  };
  struct Places {
    Slot<CertificatePtr> leaf, vcek, vlek, intermediate, root;
    Slot<ListPtr> list;
  };

  absl::Status AddParts(base::Bytes bytes, const Source& source);
  absl::Status AddCertificate(base::Bytes der, const Source& source);
  absl::Status AddList(base::Bytes der, const Source& source);
  void Fill(Slot<CertificatePtr>& slot, base::Bytes bytes, const char* place);
  void Fill(Slot<ListPtr>& slot, base::Bytes bytes);
  CertificatePtr Parse(base::Bytes bytes) const;
  ListPtr ParseList(base::Bytes bytes) const;
  // Whether it is new.
  bool Note(const ossl::Digest256& sha256, Claim claim);
  void FindSigners(const Certificate& added);
  void FindSigners(const Crl& added);
  // Empty: not tried yet.
  std::optional<bool> IsSigned(const ossl::Digest256& subject,
                               const ossl::Digest256& issuer) const;

  std::shared_ptr<const Endorsements> base_;
  const KnownCertificates* known_;
  std::vector<Held> leaves_, issuers_;
  std::vector<HeldList> lists_;
  // Of leaves_, by hardware id; VLEKs have none.
  std::multimap<std::vector<uint8_t>, size_t> by_chip_;
  Places placed_;
  std::string placed_name_;
  Findings unusable_;
  std::set<std::pair<Claim, ossl::Digest256>> seen_;
  // Whether the second signed the first, for those whose names say so; found
  // when they are added: a server asks the same of one folder for every boot.
  std::map<std::pair<ossl::Digest256, ossl::Digest256>, bool> signed_;
};

}  // namespace verifier
