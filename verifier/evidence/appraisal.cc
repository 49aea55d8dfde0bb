// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/appraisal.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sev/guest_policy.h"
#include "sev/reasons.h"
#include "sev/tcb.h"
#include "verifier/endorsements/report_signature.h"
#include "verifier/evidence/chain.h"
#include "verifier/evidence/tcb_order.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

std::string HexWord(uint64_t value) { return absl::StrFormat("%#x", value); }

class Appraiser {
 public:
  explicit Appraiser(const AppraisalInput& input) : input_(input) {}

  Appraisal Run() {
    const auto report = sev::UnverifiedReport::FromBytes(input_.report);
    Record(Check::kLength, report.ok(), sev::kReportWrongSize,
           absl::StrCat(input_.report.size(), " bytes"));
    // Nothing can be said of bytes that are no report.
    if (!report.ok()) return std::move(out_);
    out_.facts.report = *report;
    CheckForm(*report);
    CheckReportData(*report);
    if (input_.endorsements != nullptr) {
      out_.selection = input_.endorsements->For(
          {.report = &*report, .roots = input_.roots, .at = input_.now});
    }
    const auto chain =
        VerifyChainCached({.selection = out_.selection,
                           .roots = input_.roots,
                           .now = input_.now,
                           .allow_newer_version = input_.allow_newer_version,
                           .cache = input_.cache});
    TakeChain(*chain);
    CheckTcbOrder(*report);
    if (chain->leaf) {
      CheckSignature(*report, *chain);
      CheckBinding(*report, *chain);
    }
    if (input_.crl_rule == CrlRule::kRequired && chain->verified &&
        !chain->crl_checked) {
      Fail(Check::kCrlCurrent, kCrlMissing, "");
    }
    out_.verdict = Conclude(*chain);
    return std::move(out_);
  }

 private:
  Outcome& At(Check check) { return out_.outcomes[static_cast<size_t>(check)]; }
  void Fail(Check check, base::Reason reason, std::string detail) {
    At(check) = Outcome::kFail;
    out_.findings.push_back({reason, std::move(detail)});
  }
  void Record(Check check, bool passed, base::Reason reason,
              std::string detail = "") {
    if (!passed) {
      Fail(check, reason, std::move(detail));
    } else if (At(check) == Outcome::kNotEvaluated) {
      At(check) = Outcome::kPass;
    }
  }

  void CheckForm(const sev::UnverifiedReport& report) {
    using Fault = sev::ReportFault;
    const sev::ReportFaults faults = report.FindFaults();
    const uint32_t version = report.version();
    is_newer_ = version > sev::kReportMaxVersion && input_.allow_newer_version;
    if (is_newer_) {
      out_.findings.push_back(
          {kReportVersionNewer, absl::StrCat("version ", version)});
    } else {
      Record(Check::kVersion, !faults.Has(Fault::kVersion),
             sev::kReportUnknownVersion, absl::StrCat("version ", version));
    }
    Record(Check::kSignatureAlgorithm, !faults.Has(Fault::kSignatureAlgorithm),
           sev::kReportUnknownSignatureAlgorithm,
           absl::StrCat(report.signature_algorithm()));
    Record(Check::kPolicyBit17, !faults.Has(Fault::kPolicyBit17),
           kReportPolicyReserved, HexWord(report.policy()));
    const uint64_t unknown =
        report.policy() & ~sev::kPolicyKnownBits & ~input_.allowed_policy_bits;
    Record(Check::kPolicyReserved, unknown == 0, kReportPolicyBit,
           absl::StrCat("bits ", HexWord(unknown)));
    // What a newer version may have put to use is not called wrong.
    if (!is_newer_) {
      Record(Check::kKeyInfoReserved, !faults.Has(Fault::kKeyInfoReserved),
             sev::kReportReservedNotZero, HexWord(report.key_info()));
      Record(Check::kReserved04C, !faults.Has(Fault::kReserved04C),
             sev::kReportReservedNotZero, "offset 0x4C");
      Record(Check::kReserved, !faults.Has(Fault::kReserved),
             sev::kReportReservedNotZero, "");
    }
    Record(Check::kSignaturePadding, !faults.Has(Fault::kSignaturePadding),
           sev::kReportReservedNotZero, "behind the signature");
    Record(Check::kSignatureRange, SignatureInRange(report),
           kReportSignatureRange);
    Record(Check::kVmpl, !faults.Has(Fault::kVmpl), kReportVmplRange,
           absl::StrCat("VMPL ", HexWord(report.vmpl())));
    Record(Check::kChipKeyNotMasked, !faults.Has(Fault::kChipKeyMasked),
           kReportMasksChipKey);
    Record(
        Check::kSigningKey, !faults.Has(Fault::kSigningKey),
        sev::kReportUnknownSigningKey,
        absl::StrCat("SIGNING_KEY ", static_cast<int>(report.signing_key())));
  }

  // What the report was made for. No check of its own has it: that is whoever
  // asks, not AMD's profile.
  void CheckReportData(const sev::UnverifiedReport& report) {
    if (input_.report_data) {
      const bool equal =
          base::Equal(report.report_data(), input_.report_data->value);
      out_.report_data_equal = equal;
      if (!equal) {
        Refute(input_.report_data->if_other,
               absl::StrCat("seen ", ossl::Hex(report.report_data())));
      }
    }
    if (!input_.runtime_data) return;
    out_.runtime_data_bound = input_.runtime_data->is_bound;
    if (!input_.runtime_data->is_bound) Refute(input_.runtime_data->if_not, "");
  }
  void Refute(base::Reason reason, std::string detail) {
    out_.findings.push_back({reason, std::move(detail)});
    is_refuted_ = true;
  }

  void TakeChain(const Chain& chain) {
    for (size_t i = 0; i < kCheckCount; ++i) {
      if (chain.outcomes[i] != Outcome::kNotEvaluated) {
        out_.outcomes[i] = chain.outcomes[i];
      }
    }
    out_.findings.insert(out_.findings.end(), chain.findings.begin(),
                         chain.findings.end());
    AppraisalFacts& facts = out_.facts;
    if (chain.leaf) {
      out_.leaf = chain.facts;
      facts.signer = chain.facts.kind;
      facts.csp_id = chain.facts.csp_id;
    }
    facts.product = chain.product;
    facts.root = chain.root;
    facts.trust_class = chain.trust_class;
    facts.crl_checked = chain.crl_checked;
  }

  void CheckSignature(const sev::UnverifiedReport& report, const Chain& chain) {
    const bool is_signed = ReportSignatureVerifies(report, *chain.leaf);
    Record(Check::kReportSignature, is_signed, kReportSignature);
    out_.signed_by_accepted = is_signed && chain.verified;
  }

  // Report and certificate belong to the same kind of key, product, firmware
  // and chip.
  void CheckBinding(const sev::UnverifiedReport& report, const Chain& chain) {
    const LeafFacts& facts = chain.facts;
    const bool vlek = report.signing_key() == sev::SigningKey::kVlek;
    const bool known_key =
        vlek || report.signing_key() == sev::SigningKey::kVcek;
    const SignerKind wanted = vlek ? SignerKind::kVlek : SignerKind::kVcek;
    Record(Check::kLeafType, known_key && facts.kind == wanted,
           kReportSigningKey,
           absl::StrCat("SIGNING_KEY ", static_cast<int>(report.signing_key()),
                        ", certificate ",
                        facts.kind ? NameOf(*facts.kind) : "unknown"));
    CheckProduct(report, chain);
    if (vlek) {
      Record(Check::kVlekNoHardwareId,
             !facts.has_hardware_id &&
                 !facts.IsMalformed(amd_extension::kHardwareId),
             kVlekHardwareId);
      RecordExtension(Check::kVlekCspId, !facts.csp_id.empty(), facts,
                      amd_extension::kCspId, kVlekCspIdMissing);
    } else {
      CheckHardwareId(report, chain);
    }
    // Without the product the parts of a TCB cannot be told apart.
    if (chain.product) CheckTcb(report, *chain.product, facts);
  }

  void RecordExtension(Check check, bool present, const LeafFacts& facts,
                       std::string_view place,
                       base::Reason if_missing = kVcekExtensionMissing) {
    Record(check, present,
           facts.IsMalformed(place) ? kVcekExtensionMalformed : if_missing,
           absl::StrCat(kAmdArc, ".", place));
  }

  void CheckProduct(const sev::UnverifiedReport& report, const Chain& chain) {
    const LeafFacts& facts = chain.facts;
    if (!chain.product) return;
    const sev::Product product = *chain.product;
    if (const auto cpuid = report.cpuid()) {
      const auto of_report = sev::ProductOf(*cpuid);
      Record(Check::kProductLine, of_report == product,
             of_report ? kReportProductMismatch : kReportProduct,
             absl::StrFormat("chain %s, report family %02xh model %02xh",
                             NameOf(product), cpuid->family, cpuid->model));
    } else {
      // Version 2 does not say; the signature under the chain does.
      Record(Check::kProductLine, true, kReportProductMismatch);
    }
    RecordExtension(Check::kStructVersion, facts.struct_version.has_value(),
                    facts, amd_extension::kStructVersion);
    if (facts.struct_version) {
      const int wanted = product == sev::Product::kTurin ? 1 : 0;
      Record(Check::kStructVersion, *facts.struct_version == wanted,
             kVcekStructVersion,
             absl::StrFormat("seen %d, %s has %d", *facts.struct_version,
                             NameOf(product), wanted));
    }
    RecordExtension(Check::kProductName, !facts.product_name.empty(), facts,
                    amd_extension::kProductName);
    if (!facts.product_name.empty()) {
      Record(Check::kProductName, facts.product == product, kVcekProductName,
             absl::StrCat("seen \"", facts.product_name, "\", chain ",
                          NameOf(product)));
    }
  }

  void CheckHardwareId(const sev::UnverifiedReport& report,
                       const Chain& chain) {
    const LeafFacts& facts = chain.facts;
    RecordExtension(Check::kHardwareIdPresent, facts.has_hardware_id, facts,
                    amd_extension::kHardwareId);
    if (!facts.has_hardware_id) return;
    const size_t size = facts.hardware_id.size();
    if (chain.product) {
      Record(Check::kHardwareIdLength,
             size == sev::HardwareIdSize(*chain.product), kVcekHardwareIdLength,
             absl::StrCat(size, " bytes"));
    }
    const auto chip_id = report.chip_id();
    if (base::AllZero(chip_id)) {
      Fail(Check::kHardwareIdEqualsChipId, kReportChipIdMasked, "");
      return;
    }
    const bool known_size =
        std::ranges::any_of(sev::kProducts, [size](sev::Product product) {
          return size == sev::HardwareIdSize(product);
        });
    Record(Check::kHardwareIdEqualsChipId,
           known_size && base::Equal(chip_id.first(size), facts.hardware_id) &&
               base::AllZero(chip_id.subspan(size)),
           kVcekChipIdMismatch);
  }

  void CheckTcb(const sev::UnverifiedReport& report, sev::Product product,
                const LeafFacts& facts) {
    const sev::Tcb reported = sev::DecodeTcb(report.reported_tcb(), product);
    struct Part {
      Check check;
      std::string_view name;
      std::string_view place;
      const std::optional<uint8_t>& certified;
      uint8_t reported;
    };
    const Part parts[] = {
        {Check::kTcbBootLoader, "boot loader", amd_extension::kBootLoader,
         facts.boot_loader, reported.boot_loader},
        {Check::kTcbTee, "TEE", amd_extension::kTee, facts.tee, reported.tee},
        {Check::kTcbSnp, "SNP", amd_extension::kSnp, facts.snp, reported.snp},
        {Check::kTcbMicrocode, "microcode", amd_extension::kMicrocode,
         facts.microcode, reported.microcode},
        {Check::kTcbFmc, "FMC", amd_extension::kFmc, facts.fmc, reported.fmc},
    };
    for (const Part& part : parts) {
      if (part.check == Check::kTcbFmc && product != sev::Product::kTurin) {
        continue;
      }
      RecordExtension(part.check, part.certified.has_value(), facts,
                      part.place);
      if (!part.certified) continue;
      Record(part.check, *part.certified == part.reported, kVcekTcbMismatch,
             absl::StrFormat("%s: report %d, certificate %d", part.name,
                             part.reported, *part.certified));
    }
    // Bytes that no part owns; a value in them has a meaning nobody here knows.
    if (sev::EncodeTcb(reported, product) != report.reported_tcb()) {
      Fail(Check::kTcbSnp, kVcekTcbMismatch,
           absl::StrFormat("reserved bytes of %016x", report.reported_tcb()));
    }
  }

  // By the chain's product, or by the processor that the report names.
  void CheckTcbOrder(const sev::UnverifiedReport& report) {
    std::optional<sev::Product> product = out_.facts.product;
    const auto cpuid = report.cpuid();
    if (!product && cpuid) product = sev::ProductOf(*cpuid);
    if (!product) return;
    const auto above = PartsAboveCurrentTcb(report, *product);
    Record(Check::kTcbNotAboveCurrent,
           above.empty() || input_.allow_tcb_above_current,
           kReportTcbAboveCurrent, absl::StrJoin(above, "; "));
  }

  Verdict Conclude(const Chain& chain) const {
    if (is_refuted_ || !FailingChecks(out_).empty()) return Verdict::kInvalid;
    if (is_newer_ || !chain.verified || !out_.signed_by_accepted) {
      return Verdict::kUnverifiable;
    }
    // A finding that belongs to no check would otherwise be forgotten.
    return out_.findings.empty() ? Verdict::kValid : Verdict::kInvalid;
  }

  const AppraisalInput& input_;
  Appraisal out_;
  bool is_newer_ = false;
  bool is_refuted_ = false;
};

}  // namespace

std::string_view NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kValid:
      return "valid";
    case Verdict::kInvalid:
      return "invalid";
    case Verdict::kUnverifiable:
      return "unverifiable";
  }
  __builtin_trap();
}

Appraisal Appraise(const AppraisalInput& input) {
  return Appraiser(input).Run();
}

std::vector<Check> FailingChecks(const Appraisal& appraisal) {
  std::vector<Check> failing;
  for (size_t i = 0; i < kCheckCount; ++i) {
    if (appraisal.outcomes[i] == Outcome::kFail) {
      failing.push_back(static_cast<Check>(i));
    }
  }
  return failing;
}

}  // namespace verifier
