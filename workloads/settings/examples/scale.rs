fn main() {
    let n: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let d = std::env::temp_dir().join(format!("scale-{n}"));
    std::fs::create_dir_all(&d).unwrap();
    std::fs::write(d.join("platform.yaml"), "lists: []\n").unwrap();
    for i in 0..n {
        std::fs::write(d.join(format!("tenant-t{i}.yaml")), format!("id: t{i}\ndisplay_name: T {i}\nrate_limit: {{requests_per_minute: 600, burst: 20}}\napi_keys:\n  - {{id: key{i:05}, role: ServiceAccount, hash: \"sha256:{:064x}\"}}\n", i)).unwrap();
    }
    let t = std::time::Instant::now();
    let s = kyb_settings::Snapshot::read(&d).unwrap();
    println!("read {} tenants in {:?}", s.tenants.len(), t.elapsed());
    let key = kyb_settings::ApiKey::generate("live", &"key00001".parse().unwrap());
    let now = chrono::Utc::now();
    let t = std::time::Instant::now();
    for _ in 0..100_000 {
        let _ = std::hint::black_box(s.authenticate(key.reveal(), now));
    }
    println!("authenticate {:?}", t.elapsed() / 100_000);
    let rt = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    rt.block_on(async {
        let s = kyb_settings::Settings::watch(&d, std::time::Duration::from_millis(500)).unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(6)).await;
        for _ in 0..3 {
            let c = s.changed();
            let t = std::time::Instant::now();
            let f = d.join("tenant-t1.yaml");
            let text = std::fs::read_to_string(&f).unwrap() + "# x\n";
            std::fs::write(&f, text).unwrap();
            c.await;
            println!("change in use after {:?}", t.elapsed());
            tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        }
    });
    std::fs::remove_dir_all(&d).unwrap();
}
