// SPDX-License-Identifier: Apache-2.0
#include "cli/roots/roots_prepare.h"

#include <stdio.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "cli/error.h"
#include "cli/files.h"
#include "cli/reasons.h"
#include "hosted/arguments.h"
#include "hosted/certificate_names.h"
#include "hosted/text.h"
#include "proto/channel.h"
#include "sev/cert_table.h"
#include "sev/product.h"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

using verifier::Choice;
using verifier::LeafName;
using verifier::LeafWithoutChain;
using verifier::PreparedChain;
using verifier::SignerKind;

std::string FileOf(const LeafName& name) {
  return absl::StrCat(name.kind == SignerKind::kVlek
                          ? hosted::VlekName(name.csp_id, name.tcb)
                          : hosted::VcekName(name.chip_id, name.tcb),
                      hosted::kCertificateTable);
}

// Empty: larger than the daemon sends.
std::vector<uint8_t> TableOf(const PreparedChain& chain) {
  const sev::CertTableEntry entries[] = {
      {chain.name.kind == SignerKind::kVlek ? sev::kGuidVlek : sev::kGuidVcek,
       chain.leaf},
      {sev::kGuidAsk, chain.intermediate},
      {sev::kGuidArk, chain.root},
      {sev::kGuidCrl, chain.crl}};
  std::vector<uint8_t> table(proto::channel::kMaxCertificateTable);
  const auto size = sev::PackCertTable(entries, table);
  table.resize(size.ok() ? *size : 0);
  return table;
}

bool HasAlready(const std::string& path, base::Bytes bytes) {
  const auto there = ReadInput(path);
  return there.ok() && base::Equal(*there, bytes);
}

class Preparation {
 public:
  Preparation(const PrepareRequest& request, const Choice& choice)
      : request_(request) {
    for (const PreparedChain& chain : choice.chains) {
      if (IsWanted(chain.name)) chains_[FileOf(chain.name)].push_back(&chain);
    }
    for (const LeafWithoutChain& leaf : choice.left_out) {
      if (!IsWanted(leaf.name)) continue;
      LeaveOut(leaf.what);
      // The daemon goes on sending it, whatever is wrong with it by now.
      const std::string path =
          absl::StrCat(request_.to, "/", FileOf(leaf.name));
      if (Exists(path)) {
        absl::FPrintF(stderr, "%s is from before, and stays\n",
                      hosted::Printable(path));
      }
    }
    for (const ChipId& chip : request.chips) {
      if (!seen_.contains(chip)) {
        LeaveOut(absl::StrCat("chip ", verifier::ossl::Hex(chip),
                              ": no VCEK is at hand"));
      }
    }
  }

  absl::Status Write() {
    for (const auto& [file, chains] : chains_) {
      const absl::Status written = WriteOne(file, chains);
      if (!written.ok()) return written;
    }
    const size_t all = chains_.size() + left_out_before_;
    if (all == 0) return Error(kPrepareIncomplete, "no VCEK or VLEK is there");
    if (left_out_ == 0) return absl::OkStatus();
    return Error(kPrepareIncomplete, absl::StrCat(left_out_, " of ", all));
  }

 private:
  bool IsWanted(const LeafName& name) {
    if (name.kind == SignerKind::kVlek || request_.chips.empty()) return true;
    seen_.insert(name.chip_id);
    return request_.chips.contains(name.chip_id);
  }

  void LeaveOut(std::string_view what) {
    absl::FPrintF(stderr, "no file for %s\n", hosted::Printable(what));
    ++left_out_;
    ++left_out_before_;
  }
  void Fail(const std::string& file, std::string_view why) {
    absl::FPrintF(stderr, "no file for %s: %s\n", hosted::Printable(file), why);
    ++left_out_;
  }

  absl::Status WriteOne(const std::string& file,
                        const std::vector<const PreparedChain*>& chains) {
    // A daemon could not tell them apart, and one of them would be the wrong
    // one for some host.
    if (chains.size() > 1) {
      Fail(file, "two products' leaves have this name; give each its folder");
      return absl::OkStatus();
    }
    const PreparedChain& chain = *chains.front();
    const std::vector<uint8_t> table = TableOf(chain);
    if (table.empty()) {
      Fail(file, "larger than 12 KiB");
      return absl::OkStatus();
    }
    const std::string path = absl::StrCat(request_.to, "/", file);
    const bool same = HasAlready(path, table);
    if (!same) {
      const absl::Status written = WriteOutput(path, table);
      if (!written.ok()) return written;
    }
    absl::PrintF("%s %s%s\n", same ? "kept" : "wrote", hosted::Printable(path),
                 chain.crl.empty() ? ", without a revocation list" : "");
    return absl::OkStatus();
  }

  const PrepareRequest& request_;
  std::map<std::string, std::vector<const PreparedChain*>> chains_;
  std::set<ChipId> seen_;
  size_t left_out_ = 0;         // Named on standard error.
  size_t left_out_before_ = 0;  // Of these, not in chains_.
};

}  // namespace

absl::StatusOr<ChipId> ChipIdOf(std::string_view hex) {
  ChipId id{};
  const size_t turin = sev::HardwareIdSize(sev::Product::kTurin);
  const size_t size = hex.size() == 2 * turin ? turin : id.size();
  if (!verifier::ossl::FromHex(hex, base::MutableBytes(id).first(size))) {
    return hosted::UsageError(
        "--chip wants 128 hex digits, or a Turin's 16: the report's chip id");
  }
  return id;
}

absl::Status PrepareRoots(const PrepareRequest& request,
                          const verifier::Choice& choice) {
  return Preparation(request, choice).Write();
}

}  // namespace cli
