// SPDX-License-Identifier: Apache-2.0
#include "emulator/hierarchy.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "openssl/objects.h"
#include "openssl/pem.h"
#include "openssl/rsa.h"
#include "openssl/sha.h"

namespace emulator {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kRsaBits = 4096;
constexpr char kProductName[] = "Milan-B0";
constexpr long kMaxCertificateSize = 16 * 1024;

absl::Status FileError(std::string_view what, const fs::path& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " ", path.string()));
}

absl::Status WriteFile(const fs::path& path, std::string_view bytes,
                       mode_t mode) {
  const int fd =
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return FileError("cannot create", path);
  const ssize_t written = write(fd, bytes.data(), bytes.size());
  const bool ok =
      written == static_cast<ssize_t>(bytes.size()) && fsync(fd) == 0;
  absl::Status status;
  if (!ok) status = FileError("cannot write", path);
  close(fd);
  return status;
}

absl::StatusOr<Der> ReadDer(const fs::path& path) {
  const BioPtr in(BIO_new_file(path.c_str(), "rb"));
  if (in == nullptr) return OpensslError(path.string());
  Der der(kMaxCertificateSize);
  const int size = BIO_read(in.get(), der.data(), static_cast<int>(der.size()));
  if (size <= 0) return OpensslError(path.string());
  der.resize(static_cast<size_t>(size));
  return der;
}

absl::StatusOr<EvpPkey> ReadKey(const fs::path& path) {
  const BioPtr in(BIO_new_file(path.c_str(), "r"));
  if (in == nullptr) return OpensslError(path.string());
  EvpPkey key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  if (key == nullptr) return OpensslError(path.string());
  return key;
}

absl::StatusOr<std::string> PemOf(EVP_PKEY* key) {
  const BioPtr out(BIO_new(BIO_s_secmem()));
  if (out == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0,
                                    nullptr, nullptr) != 1) {
    return OpensslError("encoding a key");
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

std::string_view TextOf(const Der& der) {
  // EDGE: char may alias the bytes.
  return {reinterpret_cast<const char*>(der.data()), der.size()};
}

bool HasHierarchy(const std::string& dir) {
  std::error_code ignored;
  // Renamed into place last: when it is there, everything is.
  return fs::exists(fs::path(dir) / "public", ignored);
}

}  // namespace

absl::StatusOr<Hierarchy> Hierarchy::Generate() {
  Hierarchy hierarchy;
  auto ark = std::async(std::launch::async,
                        [] { return EvpPkey(EVP_RSA_gen(kRsaBits)); });
  hierarchy.ask_key_.reset(EVP_RSA_gen(kRsaBits));
  hierarchy.ark_key_ = ark.get();
  // Not EVP_EC_gen(): that macro casts const away.
  hierarchy.vcek_key_.reset(
      EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", SN_secp384r1));
  if (hierarchy.ark_key_ == nullptr || hierarchy.ask_key_ == nullptr ||
      hierarchy.vcek_key_ == nullptr) {
    return OpensslError("generating keys");
  }
  if (auto status = hierarchy.DeriveChipId(); !status.ok()) return status;

  auto der = MakeArkCertificate(hierarchy.ark_key_.get());
  if (!der.ok()) return der.status();
  hierarchy.ark_ = *std::move(der);
  der = MakeAskCertificate(hierarchy.ask_key_.get(), hierarchy.ark_key_.get());
  if (!der.ok()) return der.status();
  hierarchy.ask_ = *std::move(der);
  der = MakeVcekCertificate(hierarchy.vcek_key_.get(), hierarchy.ask_key_.get(),
                            {.product_name = kProductName,
                             .tcb = kEmulatedTcb,
                             .chip_id = hierarchy.chip_id_});
  if (!der.ok()) return der.status();
  hierarchy.vcek_ = *std::move(der);
  return hierarchy;
}

absl::StatusOr<Hierarchy> Hierarchy::Init(const std::string& dir,
                                          bool* created) {
  *created = false;
  std::error_code error;
  fs::create_directories(dir, error);
  const int lock = open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock < 0 || flock(lock, LOCK_EX) != 0) {
    if (lock >= 0) close(lock);
    return FileError("cannot use", dir);
  }
  auto hierarchy = HasHierarchy(dir) ? Load(dir) : Generate();
  if (hierarchy.ok() && !HasHierarchy(dir)) {
    if (auto status = hierarchy->Save(dir); status.ok()) {
      *created = true;
    } else {
      hierarchy = status;
    }
  }
  close(lock);  // And with it the lock.
  return hierarchy;
}

absl::StatusOr<Hierarchy> Hierarchy::Load(const std::string& dir) {
  if (!HasHierarchy(dir)) {
    return absl::NotFoundError(absl::StrCat(
        dir, " has no key hierarchy; run `forelock-emulator init` first"));
  }
  const fs::path root(dir);
  Hierarchy hierarchy;
  struct Key {
    const char* name;
    EvpPkey* out;
  };
  for (const Key& key : {Key{"ark.pem", &hierarchy.ark_key_},
                         Key{"ask.pem", &hierarchy.ask_key_},
                         Key{"vcek.pem", &hierarchy.vcek_key_}}) {
    auto loaded = ReadKey(root / "private" / key.name);
    if (!loaded.ok()) return loaded.status();
    *key.out = *std::move(loaded);
  }
  if (auto status = hierarchy.DeriveChipId(); !status.ok()) return status;
  struct File {
    std::string name;
    Der* out;
  };
  for (const File& file :
       {File{"ark.der", &hierarchy.ark_}, File{"ask.der", &hierarchy.ask_},
        File{hierarchy.VcekFileName(), &hierarchy.vcek_}}) {
    auto der = ReadDer(root / "public" / file.name);
    if (!der.ok()) return der.status();
    *file.out = *std::move(der);
  }
  return hierarchy;
}

std::string Hierarchy::VcekFileName() const {
  const std::string_view chip_id(
      // EDGE: char may alias the bytes.
      reinterpret_cast<const char*>(chip_id_.data()), chip_id_.size());
  return absl::StrFormat("vcek-%s-%016x.der", absl::BytesToHexString(chip_id),
                         kEmulatedRawTcb);
}

absl::Status Hierarchy::DeriveChipId() {
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(vcek_key_.get(), &der);
  if (size <= 0) return OpensslError("encoding the VCEK");
  SHA512(der, static_cast<size_t>(size), chip_id_.data());
  OPENSSL_free(der);
  return absl::OkStatus();
}

// Everything is written beside its place first; an interrupted run leaves no
// half hierarchy that looks whole.
absl::Status Hierarchy::Save(const std::string& dir) const {
  const fs::path root(dir);
  std::error_code error;
  std::string staging = (root / "new-XXXXXX").string();
  if (mkdtemp(staging.data()) == nullptr) {
    return FileError("cannot create", root);
  }
  const fs::path private_dir = fs::path(staging) / "private";
  const fs::path public_dir = fs::path(staging) / "public";
  if (mkdir(private_dir.c_str(), 0700) != 0 ||
      mkdir(public_dir.c_str(), 0755) != 0) {
    return FileError("cannot create folders in", staging);
  }
  struct Key {
    const char* name;
    EVP_PKEY* key;
  };
  for (const Key& key :
       {Key{"ark.pem", ark_key_.get()}, Key{"ask.pem", ask_key_.get()},
        Key{"vcek.pem", vcek_key_.get()}}) {
    auto pem = PemOf(key.key);
    if (!pem.ok()) return pem.status();
    const absl::Status status = WriteFile(private_dir / key.name, *pem, 0600);
    OPENSSL_cleanse(pem->data(), pem->size());
    if (!status.ok()) return status;
  }
  struct File {
    std::string name;
    const Der& der;
  };
  for (const File& file : {File{"ark.der", ark_}, File{"ask.der", ask_},
                           File{VcekFileName(), vcek_}}) {
    const absl::Status status =
        WriteFile(public_dir / file.name, TextOf(file.der), 0644);
    if (!status.ok()) return status;
  }
  fs::remove_all(root / "private", error);  // Of an interrupted run.
  if (rename(private_dir.c_str(), (root / "private").c_str()) != 0 ||
      rename(public_dir.c_str(), (root / "public").c_str()) != 0) {
    return FileError("cannot finish", root);
  }
  fs::remove_all(staging, error);
  return absl::OkStatus();
}

}  // namespace emulator
