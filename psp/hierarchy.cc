// SPDX-License-Identifier: Apache-2.0
#include "psp/hierarchy.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/bytes.h"
#include "hosted/certificate_names.h"
#include "hosted/files.h"
#include "hosted/openssl/openssl.h"
#include "hosted/text.h"
#include "openssl/objects.h"
#include "openssl/pem.h"
#include "openssl/rsa.h"
#include "openssl/sha.h"
#include "sev/cert_table.h"

namespace psp {
namespace {

using hosted::openssl::BioPtr;
using hosted::openssl::Failure;
using hosted::openssl::PkeyCtxPtr;
using hosted::openssl::PkeyPtr;

namespace fs = std::filesystem;

constexpr unsigned kRsaBits = 4096;
// Four primes are found several times faster than two, and public key and
// signatures do not show how many there were.
constexpr size_t kRsaPrimes = 4;
constexpr size_t kMaxCspIdSize = 64;
constexpr std::string_view kCspIdPrefix = "CN=";
constexpr char kCrlName[] = "crl.der";
constexpr mode_t kPrivateFile = 0600;
constexpr size_t kMaxFileSize = 16 * 1024;   // bytes, of any one
constexpr size_t kMaxTableSize = 12 * 1024;  // What the proxy sends.

absl::StatusOr<std::vector<uint8_t>> ReadFile(const fs::path& path) {
  auto bytes = hosted::ReadRegularFile(path, kMaxFileSize);
  if (bytes.ok() && bytes->empty()) {
    return absl::DataLossError(absl::StrCat(path.string(), ": is empty"));
  }
  return bytes;
}

absl::StatusOr<PkeyPtr> ReadKey(const fs::path& path) {
  auto text = ReadFile(path);
  if (!text.ok()) return text.status();
  const BioPtr in(
      BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
  PkeyPtr key(in == nullptr ? nullptr
                            : PEM_read_bio_PrivateKey(in.get(), nullptr,
                                                      nullptr, nullptr));
  OPENSSL_cleanse(text->data(), text->size());
  if (key == nullptr) return Failure(path.string());
  return key;
}

absl::StatusOr<std::string> PemOf(EVP_PKEY* key) {
  const BioPtr out(BIO_new(BIO_s_secmem()));
  if (out == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0,
                                    nullptr, nullptr) != 1) {
    return Failure("encoding a key");
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

bool HasHierarchy(const std::string& dir) {
  std::error_code ignored;
  // Renamed into place last: when it is there, everything is.
  return fs::exists(fs::path(dir) / "public", ignored);
}

// It becomes part of a file name.
bool IsCspId(std::string_view text) {
  if (!absl::StartsWith(text, kCspIdPrefix)) return false;
  text.remove_prefix(kCspIdPrefix.size());
  return !text.empty() && text.size() <= kMaxCspIdSize &&
         std::ranges::all_of(text, [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '-';
         });
}

// DIR/private/chip. Hierarchies made before there was a choice have none.
absl::StatusOr<HierarchyOptions> ReadOptions(const fs::path& path) {
  HierarchyOptions options;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return options;
  const auto text = ReadFile(path);
  if (!text.ok()) return text.status();
  const std::vector<std::string> lines =
      absl::StrSplit(hosted::AsText(*text), '\n', absl::SkipEmpty());
  options.model = lines.empty() ? nullptr : ChipModelNamed(lines[0]);
  if (lines.size() > 1) options.csp_id = lines[1];
  if (options.model == nullptr || lines.size() > 2 ||
      (lines.size() > 1 && !IsCspId(options.csp_id))) {
    return absl::DataLossError(absl::StrCat(path.string(), " is damaged"));
  }
  return options;
}

std::string OptionsText(const HierarchyOptions& options) {
  return absl::StrCat(options.model->name, "\n", options.csp_id,
                      options.csp_id.empty() ? "" : "\n");
}

absl::Status Make(const CertificateSpec& spec, Der& out) {
  auto der = MakeCertificate(spec);
  if (!der.ok()) return der.status();
  out = *std::move(der);
  return absl::OkStatus();
}

}  // namespace

PkeyPtr NewP384Key() {
  // Not EVP_EC_gen(): that macro casts const away.
  return PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", SN_secp384r1));
}

PkeyPtr NewAuthorityKey() {
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (context == nullptr || EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), kRsaBits) != 1 ||
      EVP_PKEY_CTX_set_rsa_keygen_primes(context.get(), kRsaPrimes) != 1 ||
      EVP_PKEY_keygen(context.get(), &key) != 1) {
    return nullptr;
  }
  return PkeyPtr(key);
}

absl::StatusOr<Hierarchy> Hierarchy::Generate(const HierarchyOptions& options) {
  if (!options.csp_id.empty() && !IsCspId(options.csp_id)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "not a CSP_ID such as CN=cc.example.com: ", options.csp_id));
  }
  Hierarchy hierarchy(options);
  auto ark = std::async(std::launch::async, &NewAuthorityKey);
  hierarchy.ask_.key = NewAuthorityKey();
  if (hierarchy.has_vlek()) {
    hierarchy.asvk_.key = NewAuthorityKey();
    hierarchy.vlek_.key = NewP384Key();
  }
  hierarchy.ark_.key = ark.get();
  hierarchy.vcek_.key = NewP384Key();
  for (const Member& member : hierarchy.Members()) {
    if (member.identity->key == nullptr) return Failure("generating keys");
  }
  if (auto status = hierarchy.DeriveChipId(); !status.ok()) return status;
  if (auto status = hierarchy.Certify(); !status.ok()) return status;
  return hierarchy;
}

absl::Status Hierarchy::Certify() {
  const ChipModel& chip = model();
  absl::Status status = Make(ArkSpec(chip, ark_key()), ark_.der);
  if (!status.ok()) return status;
  status = Make(IntermediateSpec(chip, SignerKind::kVcek, ask_key(), ark_key()),
                ask_.der);
  if (!status.ok()) return status;
  status = Make(VcekSpec(chip, chip_id_, vcek_key(), ask_key()), vcek_.der);
  if (!status.ok()) return status;
  auto crl = MakeCrl(GoodCrlSpec(chip, ark_key()));
  if (!crl.ok()) return crl.status();
  crl_ = *std::move(crl);
  if (!has_vlek()) return absl::OkStatus();
  status =
      Make(IntermediateSpec(chip, SignerKind::kVlek, asvk_key(), ark_key()),
           asvk_.der);
  if (!status.ok()) return status;
  return Make(VlekSpec(chip, csp_id(), vlek_key(), asvk_key()), vlek_.der);
}

std::vector<Hierarchy::Member> Hierarchy::Members() {
  std::vector<Member> members = {{"ark.pem", "ark.der", &ark_},
                                 {"ask.pem", "ask.der", &ask_},
                                 {"vcek.pem", VcekFileName(), &vcek_}};
  if (has_vlek()) {
    members.push_back({"asvk.pem", "asvk.der", &asvk_});
    members.push_back({"vlek.pem", VlekFileName(), &vlek_});
  }
  return members;
}

absl::StatusOr<Hierarchy> Hierarchy::Init(const std::string& dir, bool* created,
                                          const HierarchyOptions& options) {
  *created = false;
  std::error_code error;
  fs::create_directories(dir, error);
  hosted::Descriptor lock(
      open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock.open() || flock(lock.get(), LOCK_EX) != 0) {
    return hosted::SystemError(dir);
  }
  auto hierarchy = HasHierarchy(dir) ? Load(dir) : Generate(options);
  if (hierarchy.ok() && !HasHierarchy(dir)) {
    if (auto status = hierarchy->Save(dir); status.ok()) {
      *created = true;
    } else {
      hierarchy = status;
    }
  }
  // Those made before there were tables get theirs.
  if (hierarchy.ok()) {
    const absl::Status tables = hierarchy->SaveTables(dir);
    if (!tables.ok()) hierarchy = tables;
  }
  lock.Close();  // And with it the lock.
  if (hierarchy.ok() && (hierarchy->options_.model != options.model ||
                         hierarchy->options_.csp_id != options.csp_id)) {
    return absl::FailedPreconditionError(absl::StrCat(
        dir, " has a hierarchy of another kind: ",
        absl::StrReplaceAll(OptionsText(hierarchy->options_), {{"\n", " "}})));
  }
  return hierarchy;
}

absl::StatusOr<Hierarchy> Hierarchy::Load(const std::string& dir) {
  if (!HasHierarchy(dir)) {
    return absl::NotFoundError(absl::StrCat(
        dir, " has no key hierarchy; run `forelock-emulator init` first"));
  }
  const fs::path root(dir);
  auto options = ReadOptions(root / "private" / "chip");
  if (!options.ok()) return options.status();
  Hierarchy hierarchy(*std::move(options));
  // Keys first: the chip id, and with it a file's name, comes from one.
  for (const Member& member : hierarchy.Members()) {
    auto loaded = ReadKey(root / "private" / member.key_name);
    if (!loaded.ok()) return loaded.status();
    member.identity->key = *std::move(loaded);
  }
  if (auto status = hierarchy.DeriveChipId(); !status.ok()) return status;
  for (const Member& member : hierarchy.Members()) {
    auto der = ReadFile(root / "public" / member.der_name);
    if (!der.ok()) return der.status();
    member.identity->der = *std::move(der);
  }
  // Hierarchies made before there was a CRL have none.
  std::error_code ignored;
  if (!fs::exists(root / "public" / kCrlName, ignored)) return hierarchy;
  auto crl = ReadFile(root / "public" / kCrlName);
  if (!crl.ok()) return crl.status();
  hierarchy.crl_ = *std::move(crl);
  return hierarchy;
}

std::string Hierarchy::VcekFileName() const {
  return absl::StrCat(hosted::VcekName(chip_id_, model().raw_tcb()), ".der");
}

std::string Hierarchy::VlekFileName() const {
  return absl::StrCat(hosted::VlekName(csp_id(), model().raw_tcb()), ".der");
}

absl::Status Hierarchy::DeriveChipId() {
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(vcek_key(), &der);
  if (size <= 0) return Failure("encoding the VCEK");
  SHA512(der, static_cast<size_t>(size), chip_id_.data());
  OPENSSL_free(der);
  std::fill(chip_id_.begin() + static_cast<long>(model().hardware_id_size),
            chip_id_.end(), uint8_t{0});
  return absl::OkStatus();
}

// Everything is written beside its place first; an interrupted run leaves no
// half hierarchy that looks whole.
absl::Status Hierarchy::Save(const std::string& dir) {
  const fs::path root(dir);
  std::error_code error;
  std::string staging = (root / "new-XXXXXX").string();
  if (mkdtemp(staging.data()) == nullptr) return hosted::SystemError(dir);
  const fs::path private_dir = fs::path(staging) / "private";
  const fs::path public_dir = fs::path(staging) / "public";
  if (mkdir(private_dir.c_str(), 0700) != 0 ||
      mkdir(public_dir.c_str(), 0755) != 0) {
    return hosted::SystemError(staging);
  }
  for (const Member& member : Members()) {
    auto pem = PemOf(member.identity->key.get());
    if (!pem.ok()) return pem.status();
    absl::Status status = hosted::ReplaceFile(
        private_dir / member.key_name, base::AsBytes(*pem), kPrivateFile);
    OPENSSL_cleanse(pem->data(), pem->size());
    if (!status.ok()) return status;
    status = hosted::ReplaceFile(public_dir / member.der_name,
                                 member.identity->der, hosted::kPublicFile);
    if (!status.ok()) return status;
  }
  absl::Status status = hosted::ReplaceFile(
      private_dir / "chip", base::AsBytes(OptionsText(options_)), kPrivateFile);
  if (!status.ok()) return status;
  status =
      hosted::ReplaceFile(public_dir / kCrlName, crl_, hosted::kPublicFile);
  if (!status.ok()) return status;
  fs::remove_all(root / "private", error);  // Of an interrupted run.
  if (rename(private_dir.c_str(), (root / "private").c_str()) != 0 ||
      rename(public_dir.c_str(), (root / "public").c_str()) != 0) {
    return hosted::SystemError(dir);
  }
  fs::remove_all(staging, error);
  return absl::OkStatus();
}

absl::Status Hierarchy::SaveTables(const std::string& dir) const {
  const auto save = [&](const std::string& name, const sev::Guid& guid,
                        const Der& leaf, const Der& intermediate) {
    const std::string path =
        absl::StrCat(dir, "/public/", name, hosted::kCertificateTable);
    std::error_code ignored;
    if (fs::exists(path, ignored)) return absl::Status();
    const sev::CertTableEntry entries[] = {{guid, leaf},
                                           {sev::kGuidAsk, intermediate},
                                           {sev::kGuidArk, ark_.der},
                                           {sev::kGuidCrl, crl_}};
    std::vector<uint8_t> table(kMaxTableSize);
    const auto size = sev::PackCertTable(entries, table);
    if (!size.ok()) {
      return absl::ResourceExhaustedError(
          absl::StrCat(path, ": larger than 12 KiB"));
    }
    table.resize(*size);
    return hosted::ReplaceFile(path, table, hosted::kPublicFile);
  };
  const absl::Status saved = save(hosted::VcekName(chip_id_, model().raw_tcb()),
                                  sev::kGuidVcek, vcek_.der, ask_.der);
  if (!saved.ok() || !has_vlek()) return saved;
  return save(hosted::VlekName(csp_id(), model().raw_tcb()), sev::kGuidVlek,
              vlek_.der, asvk_.der);
}

}  // namespace psp
