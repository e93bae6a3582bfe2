#include "lib/Schedule/TuningDatabase.h"

#include "lib/Schedule/ShippedTuning.h"
#include "lib/Support/MappedFile.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <tuple>

namespace tenon {

using Json = nlohmann::json;

static constexpr int64_t formatVersion = 1;

static auto fieldsOf(const TuningKey &key) { return std::tie(key.op, key.shape, key.types, key.epilogue, key.arch); }
bool operator<(const TuningKey &a, const TuningKey &b) { return fieldsOf(a) < fieldsOf(b); }

int64_t tuningRowsOf(int64_t rows) {
  if (rows <= 1)
    return 1;
  for (int64_t most : {16, 32, 64})
    if (rows <= most)
      return most;
  return (rows + 127) / 128 * 128;
}

/// Field by field; remembers the first that is missing or of another type.
class RecordReader {
public:
  explicit RecordReader(const Json &json) : json(json) {}

  void read(const char *name, std::string &into) {
    if (auto at = json.find(name); at != json.end() && at->is_string())
      into = at->get<std::string>();
    else
      miss(name, "text");
  }
  void readMicroseconds(const char *name, double &seconds) {
    if (auto at = json.find(name); at != json.end() && at->is_number() && at->get<double>() > 0)
      seconds = at->get<double>() * 1e-6;
    else
      miss(name, "a number above 0");
  }
  void read(const char *name, int64_t &into) {
    if (auto at = json.find(name); at != json.end() && at->is_number_integer())
      into = at->get<int64_t>();
    else
      miss(name, "a whole number");
  }
  const std::string &problem() const { return missing; }

private:
  void miss(const std::string &name, const std::string &expected) {
    if (missing.empty())
      missing = "'" + name + "' is missing or not " + expected;
  }
  const Json &json;
  std::string missing;
};

static Status checkHeader(const Json &json) {
  auto version = json.is_object() ? json.find("tenon-tuning") : json.end();
  if (version == json.end() || !version->is_number_integer())
    return corrupt("expected {\"tenon-tuning\": 1}, the first line of a database of tenon-tune");
  if (version->get<int64_t>() != formatVersion)
    return unsupported("the database has version " + version->dump() + ", this compiler reads " +
                       std::to_string(formatVersion) + "; tune again with its own tenon-tune");
  return {};
}

Result<TuningDatabase> TuningDatabase::parse(std::string_view text, const std::string &name) {
  TuningDatabase database;
  bool hasHeader = false;
  for (size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos)
      continue;
    const std::string where = name + ":" + std::to_string(number);
    Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!hasHeader) {
      TENON_TRY(checkHeader(json).in(where));
      hasHeader = true;
      continue;
    }
    if (!json.is_object())
      return corrupt(where + ": expected a JSON object, the record of a kernel");
    TuningRecord record;
    record.source = "the database " + name;
    RecordReader reader(json);
    reader.read("op", record.key.op);
    reader.read("shape", record.key.shape);
    reader.read("types", record.key.types);
    reader.read("epilogue", record.key.epilogue);
    reader.read("arch", record.key.arch);
    reader.read("build", record.build);
    reader.read("schedule", record.schedule);
    reader.readMicroseconds("us", record.seconds);
    reader.read("model_schedule", record.modelSchedule);
    reader.readMicroseconds("model_us", record.modelSeconds);
    reader.read("candidates", record.candidates);
    reader.read("device", record.device);
    reader.read("date", record.date);
    if (!reader.problem().empty())
      return corrupt(where + ": " + reader.problem());
    std::vector<TuningRecord> &same = database.byKey[record.key];
    for (const TuningRecord &other : same)
      if (other.build == record.build)
        return corrupt(where + ": a second record of " + record.key.op + " " + record.key.shape +
                       " with the same key; tenon-tune --merge makes one of them");
    same.push_back(std::move(record));
  }
  if (!hasHeader)
    return corrupt(name + ": the file is empty; a database begins with {\"tenon-tuning\": 1}");
  return database;
}

Result<TuningDatabase> TuningDatabase::open(const std::string &setting) {
  if (setting == "none")
    return TuningDatabase();
  static const Result<TuningDatabase> shipped = parse(shippedTuning, "that comes with Tenon");
  if (setting.empty() || !shipped.ok())
    return shipped;
  Result<std::shared_ptr<const MappedFile>> file = MappedFile::open(setting);
  if (!file.ok())
    return file.status().in("database of tuned schedules");
  TENON_TRY_ASSIGN(TuningDatabase database, parse((*file)->bytes(), setting));
  for (const auto &[key, records] : shipped->byKey)
    database.byKey.try_emplace(key, records);
  return database;
}

const TuningRecord *TuningDatabase::find(const TuningKey &key, std::string_view build) const {
  auto found = byKey.find(key);
  if (found == byKey.end())
    return nullptr;
  auto rank = [&](const TuningRecord &record) { return std::tie(record.date, record.build); };
  const TuningRecord *best = nullptr;
  for (const TuningRecord &record : found->second) {
    if (record.build == build)
      return &record;
    if (!best || rank(*best) < rank(record))
      best = &record;
  }
  return best;
}

std::vector<const TuningRecord *> TuningDatabase::records() const {
  std::vector<const TuningRecord *> all;
  for (const auto &[key, records] : byKey)
    for (const TuningRecord &record : records)
      all.push_back(&record);
  return all;
}

} // namespace tenon
