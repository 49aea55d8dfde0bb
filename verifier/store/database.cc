// SPDX-License-Identifier: Apache-2.0
#include "verifier/store/database.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "verifier/finding.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

constexpr int kBusyMilliseconds = 5000;

absl::Status SqlError(sqlite3* database, int code) {
  const bool busy = code == SQLITE_BUSY || code == SQLITE_LOCKED;
  return Error(
      kStoreWrite,
      busy ? absl::StatusCode::kUnavailable : absl::StatusCode::kInternal,
      database == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database));
}

}  // namespace

void Statement::Check(int code) {
  if (code != SQLITE_OK && error_ == SQLITE_OK) error_ = code;
}

Statement& Statement::Bind(std::string_view text) {
  Check(sqlite3_bind_text(statement_.get(), ++bound_,
                          text.data() == nullptr ? "" : text.data(),
                          static_cast<int>(text.size()), SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::Bind(base::Bytes blob) {
  // A null pointer would bind NULL instead of an empty blob.
  static constexpr uint8_t kNothing = 0;
  Check(sqlite3_bind_blob(statement_.get(), ++bound_,
                          blob.empty() ? &kNothing : blob.data(),
                          static_cast<int>(blob.size()), SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::Bind(int64_t number) {
  Check(sqlite3_bind_int64(statement_.get(), ++bound_, number));
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  if (error_ != SQLITE_OK) return SqlError(database_, error_);
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return SqlError(database_, code);
}

absl::Status Statement::Run() {
  for (;;) {
    const auto row = Step();
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
  }
}

std::string Statement::Text(int column) {
  const std::vector<uint8_t> bytes = Blob(column);
  return std::string(bytes.begin(), bytes.end());
}

std::vector<uint8_t> Statement::Blob(int column) {
  const auto* data = static_cast<const uint8_t*>(
      sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? std::vector<uint8_t>()
                         : std::vector<uint8_t>(data, data + size);
}

int64_t Statement::Int(int column) {
  return sqlite3_column_int64(statement_.get(), column);
}

absl::StatusOr<Database> Database::Open(const std::string& path, Mode mode) {
  sqlite3* handle = nullptr;
  const int flags =
      SQLITE_OPEN_READWRITE | (mode == Mode::kCreate ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  Database database;
  database.handle_.reset(handle);
  if (code != SQLITE_OK) {
    return Error(kStoreOpen, absl::StatusCode::kNotFound,
                 absl::StrCat(path, ": ", sqlite3_errstr(code)));
  }
  sqlite3_busy_timeout(handle, kBusyMilliseconds);
  // trusted_schema: a schema is data too, and this one calls no functions.
  const absl::Status status = database.Run(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
      "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
      "PRAGMA secure_delete = ON;");
  if (!status.ok()) return status;
  return database;
}

void Database::LimitWaiting(std::chrono::milliseconds limit) {
  sqlite3_busy_timeout(handle_.get(), static_cast<int>(limit.count()));
}

Statement Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v2(handle_.get(), sql.data(),
                         static_cast<int>(sql.size()), &statement, nullptr);
  Statement out(handle_.get(), statement);
  out.Check(code);
  return out;
}

absl::Status Database::Run(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : SqlError(handle_.get(), code);
}

Transaction::~Transaction() {
  // After a failed BEGIN there is nothing to roll back.
  if (open_ && status_.ok()) database_.Run("ROLLBACK").IgnoreError();
}

absl::Status Transaction::Commit() {
  if (!status_.ok()) return status_;
  const absl::Status committed = database_.Run("COMMIT");
  // A failed COMMIT leaves the transaction open; the destructor ends it.
  if (committed.ok()) open_ = false;
  return committed;
}

}  // namespace verifier
