// SPDX-License-Identifier: Apache-2.0
//
// Entries that are not a report with its chain.
#include <stdlib.h>

#include <algorithm>
#include <span>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "hosted/openssl/openssl.h"
#include "openssl/pem.h"
#include "sev/cert_table.h"
#include "tests/corpus/entry.h"

namespace corpus {
namespace {

using hosted::openssl::BioPtr;

constexpr size_t kMaxTable = 64 * 1024;
constexpr size_t kEntry = sev::kCertTableEntrySize;
constexpr size_t kOffsetAt = 16, kLengthAt = 20;  // in a table's entry

Blob PemOf(const Der& der) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (PEM_write_bio(out.get(), "CERTIFICATE", "", der.data(),
                    static_cast<long>(der.size())) <= 0) {
    abort();
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, text + size};
}

Blob Pack(const std::vector<sev::CertTableEntry>& entries) {
  Blob table(kMaxTable);
  const auto size = sev::PackCertTable(entries, table);
  if (!size.ok()) abort();
  table.resize(*size);
  return table;
}

void PutLe32(Blob& table, size_t at, uint32_t value) {
  base::StoreLe<uint32_t>(value, std::span(table).subspan(at).first<4>());
}
uint32_t GetLe32(const Blob& table, size_t at) {
  return base::LoadLe<uint32_t>(
      std::span<const uint8_t>(table).subspan(at).first<4>());
}

// GUIDs as EFI writes them: the first three parts in little-endian.
void MixEndian(Blob& table) {
  for (size_t i = 0; i < 3; ++i) {
    const auto at = table.begin() + static_cast<long>(i * kEntry);
    std::reverse(at, at + 4);
    std::reverse(at + 4, at + 6);
    std::reverse(at + 6, at + 8);
  }
}

struct BadTable {
  const char* name;
  const char* reason;
  void (*change)(Blob& table);
};
constexpr BadTable kBadTables[] = {
    {"offset-outside", "an offset beyond the table",
     [](Blob& table) {
       PutLe32(table, kOffsetAt, static_cast<uint32_t>(table.size()) + 1);
     }},
    {"length-overflow", "offset and length overflow 32 bits",
     [](Blob& table) { PutLe32(table, kLengthAt, 0xFFFFFFF0); }},
    {"length-zero", "an entry of no bytes",
     [](Blob& table) { PutLe32(table, kLengthAt, 0); }},
    {"overlap", "two entries overlap",
     [](Blob& table) {
       PutLe32(table, kEntry + kOffsetAt, GetLe32(table, kOffsetAt) + 1);
     }},
    {"into-header", "an entry that lies in the header",
     [](Blob& table) { PutLe32(table, kOffsetAt, kEntry); }},
    {"unterminated", "no terminating entry",
     [](Blob& table) { table.resize(3 * kEntry); }},
    {"truncated", "the last certificate is cut short",
     [](Blob& table) { table.resize(table.size() - 1); }},
    {"twice", "two entries of one kind",
     [](Blob& table) {
       std::copy_n(table.begin(), sizeof(sev::Guid),
                   table.begin() + static_cast<long>(kEntry));
     }},
    {"mixed-endian", "GUIDs in EFI's byte order, which no host uses",
     MixEndian},
};

std::vector<Entry> Tables(const Line& line, const Blob& vcek_report,
                          const Blob& vlek_report) {
  const char* const kind = "cert-table";
  const Der vcek = Make(line.LeafSpecOf(SignerKind::kVcek, *line.model));
  const Der vlek = Make(line.LeafSpecOf(SignerKind::kVlek, *line.model));
  const Blob good = Pack({{sev::kGuidArk, line.ark},
                          {sev::kGuidAsk, line.ask},
                          {sev::kGuidVcek, vcek}});
  const Blob pem_ark = PemOf(line.ark), pem_ask = PemOf(line.ask),
             pem_vcek = PemOf(vcek);
  const Blob pem = Pack({{sev::kGuidArk, pem_ark},
                         {sev::kGuidAsk, pem_ask},
                         {sev::kGuidVcek, pem_vcek}});
  const Blob of_vlek = Pack({{sev::kGuidVlek, vlek},
                             {sev::kGuidAsk, line.asvk},
                             {sev::kGuidArk, line.ark},
                             {sev::kGuidCrl, line.crl}});
  std::vector<Entry> entries = {
      SimpleEntry(line, "table-der", kind, "ARK, ASK and VCEK in DER", "",
                  {{"table", good}, {"report", vcek_report}}),
      SimpleEntry(line, "table-pem", kind, "ARK, ASK and VCEK in PEM", "",
                  {{"table", pem}, {"report", vcek_report}}),
      SimpleEntry(line, "table-vlek", kind, "VLEK, ASVK, ARK and CRL", "",
                  {{"table", of_vlek}, {"report", vlek_report}}),
      SimpleEntry(line, "table-leaf-only", kind, "nothing but a VLEK", "",
                  {{"table", Pack({{sev::kGuidVlek, vlek}})}}),
      SimpleEntry(line, "table-empty", kind, "the host has none", "",
                  {{"table", Pack({})}}),
      SimpleEntry(line, "table-not-a-certificate", kind,
                  "the VCEK's entry holds something else", "certs_parse",
                  {{"table", Pack({{sev::kGuidVcek, vcek_report}})}}),
  };
  for (const BadTable& bad : kBadTables) {
    Blob table = good;
    bad.change(table);
    entries.push_back(SimpleEntry(line, absl::StrCat("table-", bad.name), kind,
                                  bad.reason, "table", {{"table", table}}));
  }
  return entries;
}

std::vector<Entry> Leaves(const Line& line) {
  const auto entry = [&](std::string_view id, const char* reason,
                         const char* failing, const Der& leaf,
                         const Der& intermediate) {
    return SimpleEntry(
        line, id, "leaf-cert", reason, failing,
        {{"leaf", leaf}, {"intermediate", intermediate}, {"root", line.ark}});
  };
  CertificateSpec expired = line.LeafSpecOf(SignerKind::kVcek, *line.model);
  expired.validity = kPast;
  const Der vcek = Make(line.LeafSpecOf(SignerKind::kVcek, *line.model));
  // The hardware id starts as nothing else in the certificate does.
  Der edited = vcek;
  const auto at = std::search(edited.begin(), edited.end(),
                              line.chip_id.begin(), line.chip_id.begin() + 8);
  if (at == edited.end()) abort();
  *at ^= 1;
  return {
      entry("leaf-vcek", "a VCEK and its chain", "", vcek, line.ask),
      entry("leaf-vlek", "a VLEK and its chain", "",
            Make(line.LeafSpecOf(SignerKind::kVlek, *line.model)), line.asvk),
      entry("leaf-edited", "one bit of the hardware id changed",
            "leaf_signed_by_intermediate", edited, line.ask),
      entry("leaf-old", "expired", "leaf_in_validity_at_eval", Make(expired),
            line.ask),
  };
}

std::vector<Entry> Chains(const World& world, const Line& line) {
  const auto entry = [&](std::string_view id, const char* reason,
                         const char* failing, const Der& intermediate,
                         const Der& crl) {
    return SimpleEntry(
        line, id, "cert-chain", reason, failing,
        {{"root", line.ark}, {"intermediate", intermediate}, {"crl", crl}});
  };
  CertificateSpec foreign = line.IntermediateSpecOf(SignerKind::kVcek);
  foreign.signer = world.impostor.ark_key.get();
  CrlSpec revoking = line.CrlSpecOf();
  revoking.revoked_serial = line.IntermediateSpecOf(SignerKind::kVlek).serial;
  return {
      entry("chain-vcek", "an ASK under its ARK", "", line.ask, line.crl),
      entry("chain-vlek", "an ASVK under its ARK", "", line.asvk, line.crl),
      entry("chain-foreign", "an ASK that another ARK signed",
            "intermediate_signed_by_root", Make(foreign), line.crl),
      entry("chain-revoked", "the CRL revokes the ASVK",
            "intermediate_not_revoked", line.asvk, Make(revoking)),
      entry("chain-ask-only", "the CRL revokes the other one", "", line.ask,
            Make(revoking)),
  };
}

std::vector<Entry> Lists(const World& world, const Line& line) {
  const auto entry = [&](std::string_view id, const char* reason,
                         const char* failing, const Der& crl) {
    return SimpleEntry(line, id, "crl", reason, failing,
                       {{"crl", crl}, {"root", line.ark}});
  };
  CrlSpec revoking = line.CrlSpecOf();
  revoking.revoked_serial = 0x42;
  CrlSpec stale = line.CrlSpecOf();
  stale.validity = kPast;
  Der tampered = Make(revoking);
  tampered.back() ^= 1;
  return {
      entry("list-empty", "the ARK's list revokes nothing", "", line.crl),
      entry("list-of-one", "the ARK's list revokes one", "", Make(revoking)),
      entry("list-stale", "past its nextUpdate", "current", Make(stale)),
      entry("list-tampered", "one bit of its signature changed",
            "signed_by_root", tampered),
      entry("list-foreign", "the list of another ARK", "signed_by_root",
            world.OtherThan(line).crl),
  };
}

}  // namespace

std::vector<Entry> OtherEntries(const World& world,
                                const std::vector<Entry>& reports) {
  std::vector<Entry> entries;
  for (const Line* line : {&world.milan, &world.genoa, &world.turin}) {
    const Blob& vcek = GoodReport(reports, *line, SignerKind::kVcek);
    const Blob& vlek = GoodReport(reports, *line, SignerKind::kVlek);
    for (auto& group : {Tables(*line, vcek, vlek), Leaves(*line),
                        Chains(world, *line), Lists(world, *line)}) {
      entries.insert(entries.end(), group.begin(), group.end());
    }
  }
  return entries;
}

}  // namespace corpus
