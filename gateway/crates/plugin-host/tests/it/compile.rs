//! Compiling is bounded: what is in a component is counted before, and a child process with limits compiles it.

use std::path::Path;
use std::time::Duration;

use renmen_plugin_host::{ChildCompiler, CompileLimits, HostOptions, HostTuning, LoadError, PluginHost};
use wasm_encoder::{
    CodeSection, ComponentSection, ConstExpr, ElementSection, Elements, Function, FunctionSection, Module,
    ModuleSection, RefType, TableSection, TableType, TypeSection,
};

use crate::harness::hostile_component;
use crate::modules::{PULL, component};

const MIB: u64 = 1 << 20;

/// A connector that any host takes, with one more module inside that is never used.
fn with_module(module: &Module) -> Vec<u8> {
    let mut bytes = component(&format!("{PULL} unreachable)"), "1.0.0");
    ModuleSection(module).append_to_component(&mut bytes);
    bytes
}

fn one_type() -> TypeSection {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    types
}

/// Functions of that many bytes each, of code that is hard on a compiler: each step branches on the one before.
fn bomb(functions: u32, bytes: usize) -> Vec<u8> {
    let (mut declared, mut code) = (FunctionSection::new(), CodeSection::new());
    for _ in 0..functions {
        declared.function(0);
        let mut body = Function::new([(1, wasm_encoder::ValType::I32)]);
        for step in 0..bytes / 15 {
            // Fifteen bytes: x = x rotated by n; if x { x = !x }.
            body.instructions().local_get(0).i32_const((step % 31) as i32).i32_rotl().local_tee(0);
            body.instructions().if_(wasm_encoder::BlockType::Empty).local_get(0).i32_eqz().local_set(0).end();
        }
        body.instructions().end();
        code.function(&body);
    }
    let mut module = Module::new();
    module.section(&one_type()).section(&declared).section(&code);
    with_module(&module)
}

fn empty_functions(count: u32) -> Vec<u8> {
    bomb(count, 0)
}

/// A table with so many entries written into it.
fn elements(count: usize) -> Vec<u8> {
    let mut module = Module::new();
    let mut declared = FunctionSection::new();
    declared.function(0);
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: 1,
        maximum: None,
        shared: false,
    });
    let mut segments = ElementSection::new();
    let indices = vec![0_u32; count];
    segments.active(None, &ConstExpr::i32_const(0), Elements::Functions(indices.into()));
    let mut code = CodeSection::new();
    let mut body = Function::new([]);
    body.instructions().end();
    code.function(&body);
    module.section(&one_type()).section(&declared).section(&tables).section(&segments).section(&code);
    with_module(&module)
}

fn host_in(cache_dir: &Path, limits: CompileLimits, program: &str) -> PluginHost {
    let options = HostOptions { cache_dir: Some(cache_dir.to_owned()), dev: true };
    let host = PluginHost::new(options).unwrap().compiling_within(limits);
    host.compiling_in(ChildCompiler::new(program.into(), [])).unwrap()
}

/// A host whose children are the real ones.
fn bounded(cache_dir: &Path, limits: CompileLimits) -> PluginHost {
    host_in(cache_dir, limits, env!("CARGO_BIN_EXE_renmen-compile"))
}

async fn refused(host: &PluginHost, bytes: Vec<u8>) -> LoadError {
    host.load_bytes(bytes, None).await.err().unwrap()
}

fn entries(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test]
async fn a_function_of_megabytes_is_refused_by_count_before_anything_is_compiled() {
    let dir = tempfile::tempdir().unwrap();
    // This program does not exist: an attempt to compile would report that instead.
    let host = host_in(dir.path(), CompileLimits::default(), "/nowhere/compiler");
    let error = refused(&host, bomb(1, 4_400_000)).await;
    assert!(matches!(error, LoadError::TooComplex { .. }), "{error}");
    assert!(error.to_string().contains("`plugins.function_bytes_max` allows 1048576"), "{error}");
}

#[tokio::test]
async fn hundreds_of_thousands_of_empty_functions_are_refused_by_count() {
    let dir = tempfile::tempdir().unwrap();
    let host = host_in(dir.path(), CompileLimits::default(), "/nowhere/compiler");
    let error = refused(&host, empty_functions(900_000)).await;
    assert!(error.to_string().contains("`plugins.functions_max` allows 100000"), "{error}");
    let error = refused(&host, elements(600_000)).await;
    assert!(error.to_string().contains("`plugins.items_max` allows 500000"), "{error}");
}

#[tokio::test]
async fn each_count_has_two_sides() {
    let fits = |limits| {
        let options = HostOptions { cache_dir: None, dev: true };
        PluginHost::with_tuning(options, HostTuning::default()).unwrap().compiling_within(limits)
    };
    // The connector itself has three functions, and every body is short.
    let at = |functions_max| fits(CompileLimits { functions_max, ..CompileLimits::default() });
    let few = empty_functions(50);
    let total =
        (50..200).find(|total| !matches!(count(&few, *total), Some(limit) if limit == "functions_max")).unwrap();
    assert!(at(total).load_bytes(few.clone(), None).await.is_ok());
    assert!(refused(&at(total - 1), few).await.to_string().contains("functions_max"));
    let body = |function_bytes_max| fits(CompileLimits { function_bytes_max, ..CompileLimits::default() });
    let one = bomb(1, 2_000);
    let error = refused(&body(1_000), one.clone()).await;
    assert!(error.to_string().contains("function_bytes_max"), "{error}");
    assert!(body(4_000).load_bytes(one, None).await.is_ok());
    let items = |items_max| fits(CompileLimits { items_max, ..CompileLimits::default() });
    let listed = elements(5_000);
    assert!(refused(&items(5_000), listed.clone()).await.to_string().contains("items_max"));
    assert!(items(6_000).load_bytes(listed, None).await.is_ok());
}

/// The limit that a host with this many functions allowed would name; none when it takes the component.
fn count(bytes: &[u8], functions_max: u64) -> Option<&'static str> {
    let options = HostOptions { cache_dir: None, dev: true };
    let limits = CompileLimits { functions_max, ..CompileLimits::default() };
    let host = PluginHost::new(options).unwrap().compiling_within(limits);
    let runtime = std::thread::spawn({
        let bytes = bytes.to_vec();
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(host.load_bytes(bytes, None)).err().map(|error| error.to_string())
        }
    });
    let error = runtime.join().unwrap()?;
    error.contains("functions_max").then_some("functions_max")
}

#[tokio::test]
async fn a_child_compiles_once_and_the_next_start_needs_none() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = hostile_component();
    bounded(dir.path(), CompileLimits::default()).load_bytes(bytes.clone(), None).await.unwrap();
    assert!(!entries(dir.path()).iter().any(|name| name.starts_with("child-")), "{:?}", entries(dir.path()));
    // What a child left is found again without one.
    host_in(dir.path(), CompileLimits::default(), "/nowhere/compiler").load_bytes(bytes.clone(), None).await.unwrap();
    // Within other limits it counts for nothing.
    let tighter = CompileLimits { time_max: Duration::from_secs(59), ..CompileLimits::default() };
    let error = refused(&host_in(dir.path(), tighter, "/nowhere/compiler"), bytes.clone()).await;
    assert!(matches!(error, LoadError::CompileChild { .. }), "{error}");
    // Nor does it when its entry is gone: this process compiles nothing in a child's place.
    std::fs::remove_dir_all(dir.path().join("modules")).unwrap();
    let error = refused(&host_in(dir.path(), CompileLimits::default(), "/nowhere/compiler"), bytes).await;
    assert!(error.to_string().contains("/nowhere/compiler"), "{error}");
}

#[tokio::test]
async fn what_a_child_compiled_is_found_by_the_engine_that_runs_it() {
    let dir = tempfile::tempdir().unwrap();
    bounded(dir.path(), CompileLimits::default()).load_bytes(hostile_component(), None).await.unwrap();
    let modules = dir.path().join("modules");
    let compiler = modules.join(&entries(&modules)[0]);
    let code = entries(&compiler).into_iter().filter(|name| !name.contains('.')).count();
    // Had the two engines other names for it, there would be two.
    assert_eq!(code, 1, "{:?}", entries(&compiler));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_child_that_wants_more_memory_than_it_may_is_ended_and_the_limit_named() {
    let dir = tempfile::tempdir().unwrap();
    let limits = CompileLimits { memory_bytes_max: 320 * MIB, ..CompileLimits::default() };
    let host = bounded(dir.path(), limits);
    let error = refused(&host, bomb(4, 900_000)).await;
    assert!(matches!(error, LoadError::CompileLimit { limit: "compile_memory_max", .. }), "{error}");
    assert!(error.to_string().contains("335544320"), "{error}");
    assert!(!entries(dir.path()).iter().any(|name| name.starts_with("child-")), "{:?}", entries(dir.path()));
    // An honest plugin still gets through.
    assert!(host.load_bytes(hostile_component(), None).await.is_ok());
}

#[cfg(unix)]
#[tokio::test]
async fn a_child_that_takes_longer_than_it_may_is_ended_and_the_limit_named() {
    let dir = tempfile::tempdir().unwrap();
    // By its processor time.
    let limits =
        CompileLimits { time_max: Duration::from_secs(1), memory_bytes_max: 8 << 30, ..CompileLimits::default() };
    let error = refused(&bounded(dir.path(), limits), bomb(8, 1_000_000)).await;
    assert!(matches!(error, LoadError::CompileLimit { limit: "compile_time_max", .. }), "{error}");
    // By the clock, for a child that does nothing at all.
    let limits = CompileLimits { time_max: Duration::from_millis(50), ..CompileLimits::default() };
    let options = HostOptions { cache_dir: Some(dir.path().to_owned()), dev: true };
    let idle = ChildCompiler::new("/bin/sleep".into(), ["60".into()]);
    let host = PluginHost::new(options).unwrap().compiling_within(limits).compiling_in(idle).unwrap();
    let error = refused(&host, hostile_component()).await;
    assert!(matches!(error, LoadError::CompileLimit { limit: "compile_time_max", .. }), "{error}");
    assert!(error.to_string().contains("by the clock"), "{error}");
}

#[tokio::test]
async fn a_child_that_ends_without_a_word_is_the_gateways_fault_and_not_the_plugins() {
    let dir = tempfile::tempdir().unwrap();
    for program in ["/bin/false", "/bin/true"] {
        let error = refused(&host_in(dir.path(), CompileLimits::default(), program), hostile_component()).await;
        assert!(matches!(error, LoadError::CompileChild { .. } | LoadError::CacheDir { .. }), "{program}: {error}");
    }
}

#[tokio::test]
async fn code_that_does_not_compile_is_refused_by_the_child_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let mut broken = Module::new();
    let (mut declared, mut code) = (FunctionSection::new(), CodeSection::new());
    declared.function(0);
    let mut body = Function::new([]);
    body.instructions().i32_add().end();
    code.function(&body);
    broken.section(&one_type()).section(&declared).section(&code);
    let error = refused(&bounded(dir.path(), CompileLimits::default()), with_module(&broken)).await;
    assert!(matches!(error, LoadError::Compile { .. }), "{error}");
    assert!(error.to_string().contains("type mismatch"), "{error}");
}
